"""One API server of Airflow, with releases in every state; and Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.releases import DAG, played
from tests.support.served import Served, Server, names

Open = Callable[..., Browser]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server, and runs of all releases."""
    folder: Path = tmp_path_factory.mktemp("view")
    server = Server(folder / "airflow", played(folder))
    try:
        for name in names():
            server.served.started(name)
        yield server.served
    finally:
        server.close()


@pytest.fixture
def opened(served: Served, tmp_path: Path) -> Iterator[Open]:
    """Opens a page as a user: the release of a name, or another path."""
    browsers: list[Browser] = []

    def open_(path: str, user: str = "ops", width: int = 1500, dark: bool = False) -> Browser:
        browser = Browser(tmp_path / f"profile{len(browsers)}", width, dark=dark)
        browsers.append(browser)
        browser.login(served.url, served.token(user))
        browser.open(served.url + path)
        return browser

    yield open_
    for browser in browsers:
        browser.close()


def of(name: str) -> str:
    """The path of a release's page without Airflow's frame."""
    return f"/glidepath/releases/{DAG}/manual__{name}%2B00:00"


def api(name: str) -> str:
    """The API's path of a release."""
    return f"/glidepath/api/v1/releases/{DAG}/manual__{name}%2B00:00"
