"""The pages in Chromium: what they say, on any width, in light and dark, without a mouse."""

from __future__ import annotations

import pytest

from tests.support.browser import Browser
from tests.support.releases import DAG, ENDS
from tests.support.served import Served
from tests.view.conftest import Open, of

SHADOW = "document.querySelector('#glidepath').shadowRoot"
ORDER = [
    "Release", "What happens next", "Exposure", "Weight over time", "Metrics", "Metrics in numbers", "Timeline",
    "Last seen of the canary's pods", "Links",
]  # fmt: skip


def text(browser: Browser, selector: str, root: str = SHADOW) -> str:
    """What an element says, once it is there."""
    browser.until(f"{root}?.querySelector({selector!r})")
    return str(browser.run(f"{root}.querySelector({selector!r}).textContent"))


@pytest.mark.parametrize(
    ("name", "state", "tone"),
    [
        ("promoted", "PROMOTED", "good"), ("taken-back", "ROLLED BACK", "bad"), ("waiting", "WAITING FOR YOU", "waiting"),
        ("undecided", "ADVANCING", "calm"), ("blind", "HOLDING", "calm"), ("observed", "OBSERVING", "good"),
    ],
)  # fmt: skip
def test_a_release_says_how_it_stands_and_then_the_rest_in_order(
    opened: Open, name: str, state: str, tone: str
) -> None:
    browser = opened(of(name))
    assert text(browser, ".state") == state
    assert text(browser, f".banner.{tone} .sentence")
    assert browser.run(f"[...{SHADOW}.querySelectorAll('h2')].map((one) => one.textContent)") == ORDER
    assert browser.run(f"{SHADOW}.querySelectorAll('svg[aria-label]').length") >= 1
    assert browser.errors() == []


def test_one_that_waits_to_begin_says_what_is_asked_and_what_a_yes_does(opened: Open) -> None:
    browser = opened(of("gated"))
    assert text(browser, ".state") == "WAITING FOR YOU"
    assert "Give v2 its first 20 % of the requests" in text(browser, ".banner.waiting .sentence")
    approve = f"[...{SHADOW}.querySelectorAll('button')].find((one) => one.textContent === 'Approve')"
    browser.until(approve)
    browser.run(f"{approve}.click()")
    assert "gets its first requests" in text(browser, ".controls form p")
    assert browser.errors() == []


def test_the_pods_of_a_canary_that_was_taken_back_are_told_with_their_last_lines(opened: Open) -> None:
    browser = opened(of("taken-back"))
    assert "prices-v2-7d9f: app running; ended before: OOMKilled, exit code 137" in text(
        browser, "section:not([hidden]) details[data-pod] > summary"
    )
    assert text(browser, "details[data-pod] pre") == "loading prices\nMemoryError: <script>alert(1)</script>"
    assert browser.errors() == []


def test_a_release_whose_pods_are_there_tells_nothing_of_them(opened: Open) -> None:
    browser = opened(of("promoted"))
    text(browser, ".state")
    assert browser.run(f"{SHADOW}.querySelector('section[hidden] h2').textContent") == "Last seen of the canary's pods"


@pytest.mark.parametrize("width", [400, 800, 1500])
@pytest.mark.parametrize("path", [of("observed"), of("taken-back"), "/glidepath/"])
def test_nothing_lies_beside_the_window(opened: Open, path: str, width: int) -> None:
    browser = opened(path, width=width)
    browser.until(f"{SHADOW}.querySelector('.glidepath:not([style]) :is(.banner, tbody tr)')")
    assert browser.run("document.querySelector('#glidepath').scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_contrast_in_light_and_dark(opened: Open, dark: bool) -> None:
    browser = opened(of("observed"), dark=dark)
    browser.until(f"{SHADOW}.querySelector('.glidepath:not([style]) .banner')")
    assert browser.run(f"{SHADOW}.querySelector('.glidepath').dataset.theme") == ("dark" if dark else "light")
    assert browser.run(f"({CONTRAST})({SHADOW})") >= 4.5


CONTRAST = """(root) => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.map((one) => one / 255).map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [...root.querySelectorAll("*")].filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return Math.min(...found.filter((one) => !["STYLE", "title"].includes(one.tagName)).map((one) => {
    const style = getComputedStyle(one);
    const [a, b] = [light(rgb(one instanceof SVGElement ? style.fill : style.color)), light(behind(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
}"""


def test_every_control_has_a_name_and_every_table_its_heads(opened: Open) -> None:
    browser = opened(of("observed"))
    browser.until(f"{SHADOW}.querySelector('.metrics')")
    named = "(one) => (one.getAttribute('aria-label') || one.textContent).trim()"
    assert browser.run(f"[...{SHADOW}.querySelectorAll('button, a, summary, svg')].every({named})")
    assert browser.run(f"[...{SHADOW}.querySelectorAll('th')].every((one) => one.scope && one.textContent.trim())")
    assert browser.run(f"{SHADOW}.querySelector('.banner').getAttribute('role')") == "status"


def test_the_list_has_all_and_can_be_narrowed_and_leads_to_each(opened: Open) -> None:
    browser = opened("/glidepath/")
    browser.until(f"{SHADOW}.querySelectorAll('tbody tr').length === {len(ENDS)}")
    browser.run(f"{SHADOW}.querySelector('input').focus()")
    browser.call("Input.insertText", text="rolled")
    browser.until(f"{SHADOW}.querySelectorAll('tbody tr').length === 1")
    browser.run(f"{SHADOW}.querySelector('tbody a').click()")
    assert text(browser, ".state") == "ROLLED BACK"
    assert browser.errors() == []


def test_who_may_not_see_it_is_told_so(opened: Open) -> None:
    assert text(opened(of("promoted"), user="stranger"), ".refused").startswith(
        "You may not read the runs of this DAG."
    )
    assert "no release" in text(opened(of("never")), ".refused")


IN_AIRFLOW = "[...document.querySelectorAll('div')].find((one) => one.shadowRoot)?.shadowRoot"


def test_airflow_shows_it_on_a_runs_page_and_in_its_navigation(opened: Open, served: Served) -> None:
    browser = opened(f"/dags/{DAG}/runs/manual__taken-back%2B00:00/plugin/release")
    browser.until(f"{IN_AIRFLOW}?.querySelector('.state')", 60)
    assert browser.run(f"{IN_AIRFLOW}.querySelector('.state').textContent") == "ROLLED BACK"
    browser.open(f"{served.url}/plugin/releases")
    browser.until(f"{IN_AIRFLOW}?.querySelectorAll('tbody tr').length === {len(ENDS)}", 60)
    browser.run(f"{IN_AIRFLOW}.querySelector('tbody a').click()")
    browser.until(f"{IN_AIRFLOW}?.querySelector('.state')", 60)


def test_what_changes_is_shown_without_a_reload(opened: Open, served: Served) -> None:
    from glidepath.record import Record
    from glidepath.release.events import Drifted
    from glidepath.release.journal import Journal

    browser = opened(of("undecided"))
    assert text(browser, ".state") == "ADVANCING"
    journal = Journal(Record(served.record), f"{DAG}/manual__undecided+00:00")
    journal.write(Drifted("weights edited by a test", 1), 1_800_000_200.0)
    browser.until(f"{SHADOW}.querySelector('.timeline').textContent.includes('edited by a test')", 20)


def press(browser: Browser, button: str, why: str) -> None:
    """Press a button of the page, give a reason, and confirm by the keyboard."""
    named = f"[...{SHADOW}.querySelectorAll('button')].find((one) => one.textContent === {button!r})"
    browser.until(named)
    browser.run(f"{named}.focus()")
    key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    browser.call("Input.dispatchKeyEvent", type="keyDown", **key)
    browser.until(f"{SHADOW}.activeElement.id === 'why'")
    browser.call("Input.insertText", text=why)
    browser.call("Input.dispatchKeyEvent", type="keyDown", **key)


def test_a_person_holds_a_release_by_the_keyboard_and_all_see_who_and_why(opened: Open) -> None:
    browser = opened(of("blind"))
    press(browser, "Hold", "wait for Prometheus")
    browser.until(f"{SHADOW}.querySelector('.sentence').textContent === 'Held at 20 % by ops: wait for Prometheus.'")
    assert "ops asks: hold: wait for Prometheus" in text(browser, ".timeline")
    browser.until(f"[...{SHADOW}.querySelectorAll('button')].some((one) => one.textContent === 'Resume')")


def test_an_answer_that_airflow_does_not_take_is_not_recorded_and_said(opened: Open) -> None:
    browser = opened(of("waiting"))
    press(browser, "Approve", "the numbers are fine")
    browser.until(f"{SHADOW}.querySelector('.controls ~ p').textContent.startsWith('Not done: ')")
    assert text(browser, ".state") == "WAITING FOR YOU"


def test_who_may_only_look_sees_buttons_that_can_not_be_pressed(opened: Open) -> None:
    browser = opened(of("observed"), user="eyes")
    browser.until(f"{SHADOW}.querySelector('.controls button')")
    assert browser.run(f"[...{SHADOW}.querySelectorAll('.controls button')].every((one) => one.disabled)")
    assert "You may look" in text(browser, ".controls")


CHARTS = """(async () => {
  const { grid, observed, range, runs, stepped } = await import("/glidepath/static/charts.js");
  return {
    runs: runs([1, 2, 3, 4], [5, null, 6, 7]),
    stepped: stepped([[0, 20], [10, 50]], 30),
    observed: observed({ at: [1, 2, 3], stable: [80, 80, 130], canary: [20, 20, 70] }),
    grid: grid(0, 100),
    range: range([1, 3, null]),
    nothing: range([]),
  };
})()"""


def test_what_is_drawn_follows_from_the_numbers(opened: Open) -> None:
    found = opened("/glidepath/").run(
        f"(async () => {{ await new Promise((go) => setTimeout(go, 0)); return {CHARTS}; }})()"
    )
    assert found["runs"] == [[[1, 5]], [[3, 6], [4, 7]]], "a value that is not known ends a line"
    assert found["stepped"] == [[0, 20], [10, 20], [10, 50], [30, 50]]
    assert found["observed"] == [[1, 20], [3, 50]], "between two looks, and no point where nobody asked"
    assert found["grid"] == [0, 50, 100]
    low, high = found["range"]
    assert low < 1 < 3 < high
    assert found["nothing"] == [0, 1]
