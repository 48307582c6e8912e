"""`python -m tests.view.pictures`: the screenshots of the documents, of releases that were played just now, in a real Airflow."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.support.browser import Browser
from tests.support.releases import played
from tests.support.served import REPO, Server, names
from tests.view.conftest import of

FOLDER = REPO / "docs/images"
DRAWN = (
    "document.querySelector('#glidepath').shadowRoot?.querySelector('.glidepath:not([style]) :is(.banner, tbody tr)')"
)
# What is shown, by the picture's name: path, width and height of the window, whether it is dark.
PICTURES = {
    "releases": ("/glidepath/", 1200, 620, False),
    "release-waiting": (of("waiting"), 1200, 1000, False),
    "release-promoted": (of("promoted"), 1200, 1000, True),
    "release-narrow": (of("waiting"), 400, 860, True),
}
LARGEST = 200_000


def take(folder: Path) -> None:
    """Take them all.

    Raises:
        RuntimeError: One is too large for a document.
    """
    with tempfile.TemporaryDirectory() as place:
        server = Server(Path(place) / "airflow", played(Path(place), until=time.time()))
        try:
            for name in names():
                server.served.started(name)
            _as_under_way(Path(place) / "airflow" / "airflow.db")
            for name, (path, width, height, dark) in PICTURES.items():
                browser = Browser(Path(place) / name, width, height, dark=dark)
                browser.login(server.served.url, server.served.token("ops"))
                browser.open(server.served.url + path)
                browser.until(DRAWN)
                picture = folder / f"{name}.png"
                browser.picture(picture, whole=False)
                browser.close()
                if (size := picture.stat().st_size) > LARGEST:
                    raise RuntimeError(f"{picture} has {size} bytes, expected at most {LARGEST}")
        finally:
            server.close()


def _as_under_way(database: Path) -> None:
    """Runs stand as a scheduler would have them: there is none, as it would run their tasks."""
    states = {"promoted": "success", "taken-back": "failed"}
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("UPDATE dag SET is_paused = 0")
        for name in names():
            run = f"manual__{name}+00:00"
            connection.execute("UPDATE dag_run SET state = ? WHERE run_id = ?", (states.get(name, "running"), run))


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
