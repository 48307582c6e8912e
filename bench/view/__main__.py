"""Measure the pages of releases beside Airflow's own grid of the same DAG: `python -m bench.view`.

Targets: 300 ms of the server, 1 s in Chromium, 200 kB over the wire for the first paint; ten open pages below 2 % of a core.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import requests

from bench.view.filled import LONG, LOOKS, RELEASES, fill
from tests.support.browser import Browser
from tests.support.releases import DAG
from tests.support.served import Served, Server

API = "/glidepath/api/v1/releases"
RELEASE = f"{API}/{LONG.replace('+', '%2B')}"
GRID = f"/ui/grid/runs/{DAG}?limit=14", f"/ui/grid/structure/{DAG}?limit=14"
TIMES, PAGES, POLL_S = 15, 10, 5.0


def asked(served: Served, session: requests.Session, path: str, **headers: str) -> dict[str, float]:
    """Median milliseconds of the server, and bytes over the wire."""
    took, size = [], 0
    for _ in range(TIMES):
        started = time.perf_counter()
        answer = session.get(f"{served.url}{path}", headers=headers, stream=True)
        size = len(answer.raw.read())  # as it came, packed
        took.append(1000 * (time.perf_counter() - started))
        assert answer.status_code in (200, 304), (path, answer.status_code)
    return {"ms": round(statistics.median(took), 1), "kB": round(size / 1000, 1)}


def painted(served: Served, folder: Path, path: str, ready: str) -> dict[str, float]:
    """Milliseconds until a page is drawn in Chromium, and bytes of all that it loads, the first time."""
    browser = Browser(folder / path.replace("/", "_")[:40])
    try:
        browser.login(served.url, served.token("eyes"))
        browser.open(served.url + path)
        browser.until(ready, 60)
        drawn = browser.run("performance.now()")
        browser.run("1")
        sizes = [
            one["params"]["encodedDataLength"]
            for one in browser.events
            if one.get("method") == "Network.loadingFinished"
        ]
        return {"ms": round(drawn), "kB": round(sum(sizes) / 1000, 1)}
    finally:
        browser.close()


def polling(served: Served, session: requests.Session, pid: int, tag: str) -> float:
    """Percent of a core that ten pages cost which ask every five seconds, one in five times with something new."""
    before, calls = cpu_s(pid), 100
    for number in range(calls):
        new = number % 5 == 0
        session.get(f"{served.url}{RELEASE}?after={LOOKS - 1}", headers={} if new else {"If-None-Match": tag}).content  # noqa: B018
    return round(100 * (cpu_s(pid) - before) / calls * PAGES / POLL_S, 2)


def cpu_s(pid: int) -> float:
    """Seconds of a processor that a process and its children have had."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.view", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures there")
    out = parser.parse_args().json
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/record.db"
        fill(folder / "played", url)
        server = Server(folder / "airflow", url)
        try:
            figures = measured(server, folder)
        finally:
            server.close()
    print(json.dumps(figures, indent=1))
    if out:
        out.write_text(json.dumps(figures, indent=1) + "\n")


def measured(server: Server, folder: Path) -> dict[str, object]:
    """All figures."""
    served = server.served
    served.started("long")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {served.token('eyes')}"
    tag = session.get(f"{served.url}{RELEASE}").headers["ETag"]
    shadow = "document.querySelector('#glidepath')?.shadowRoot"
    page = f"/glidepath/releases/{LONG.replace('+', '%2B')}"
    figures: dict[str, object] = {
        f"release of {LOOKS} looks": asked(served, session, RELEASE),
        "nothing new": asked(served, session, RELEASE, **{"If-None-Match": tag}),
        "one look new": asked(served, session, f"{RELEASE}?after={LOOKS - 1}"),
        f"list of {RELEASES} releases": asked(served, session, f"{API}?limit={RELEASES}"),
        "Airflow's grid": [asked(served, session, path) for path in GRID],
        "release drawn": painted(served, folder, page, f"{shadow}.querySelector('.glidepath:not([style]) .tile svg')"),
        "list drawn": painted(
            served,
            folder,
            "/glidepath/",
            f"{shadow}.querySelectorAll('.glidepath:not([style]) tbody tr').length >= {RELEASES}",
        ),
        "Airflow's run page drawn": painted(
            served,
            folder,
            f"/dags/{DAG}/runs/{LONG.partition('/')[2].replace('+', '%2B')}",
            "document.querySelector('table a, [role=row]')",
        ),
        f"{PAGES} open pages, % of a core": polling(served, session, server.pid, tag),
    }
    return figures


if __name__ == "__main__":
    main()
