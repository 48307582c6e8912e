"""axe finds nothing on the pages: each state, the list, a form, the report; light and dark, wide and narrow; in Airflow's frame."""

from __future__ import annotations

import pytest

from tests.support.axe import violations
from tests.support.browser import Browser
from tests.support.releases import DAG, ENDS
from tests.support.served import Served
from tests.view.conftest import Open, api, of

SHADOW = "document.querySelector('#glidepath').shadowRoot"
IN_AIRFLOW = "[...document.querySelectorAll('div')].find((one) => one.shadowRoot)"
DRAWN = f"{SHADOW}?.querySelector('.glidepath:not([style]) :is(.banner, tbody tr, .refused)')"


def press(browser: Browser, name: str) -> None:
    """Press one of the page's buttons; its form is then open."""
    button = f"[...{SHADOW}.querySelectorAll('button')].find((one) => one.textContent === {name!r})"
    browser.until(button)
    browser.run(f"{button}.click()")
    browser.until(f"{SHADOW}.querySelector('.controls form')")


@pytest.mark.parametrize("width", [400, 1500])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_any_page(opened: Open, served: Served, dark: bool, width: int) -> None:
    browser = opened("/glidepath/", dark=dark, width=width)
    found: dict[str, list[str]] = {}
    for path in ("/glidepath/", *map(of, ENDS), of("never")):
        browser.open(served.url + path)
        browser.until(f"location.pathname + '' === {path!r} && {DRAWN}")
        browser.run(f"{SHADOW}.querySelectorAll('details').forEach((one) => {{ one.open = true; }})")
        found[path] = violations(browser)
    browser.open(served.url + of("observed"))
    press(browser, "Take back")
    found["a form"] = violations(browser)
    assert {path: told for path, told in found.items() if told} == {}


def test_axe_finds_nothing_in_a_report(opened: Open) -> None:
    browser = opened(api("taken-back") + "/report")
    browser.until("document.querySelector('h1')")
    assert violations(browser) == []


@pytest.mark.parametrize("path", [f"/dags/{DAG}/runs/manual__taken-back%2B00:00/plugin/release", "/plugin/releases"])
def test_axe_finds_nothing_of_ours_in_airflows_frame(opened: Open, path: str) -> None:
    browser = opened(path)
    browser.until(f"{IN_AIRFLOW}?.shadowRoot.querySelector(':is(.banner, tbody tr)')", 60)
    assert violations(browser, IN_AIRFLOW) == []


def test_axe_would_find_what_is_wrong_within_the_page(opened: Open) -> None:
    browser = opened(of("promoted"))
    browser.until(DRAWN)
    browser.run(f"{SHADOW}.querySelector('.banner').append(document.createElement('button'))")
    assert [one for one in violations(browser) if one.startswith("button-name: ")]
