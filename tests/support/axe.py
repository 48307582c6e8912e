"""axe (https://github.com/dequelabs/axe-core) on a page: what a screen reader or weak eyes would stumble over."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.support.browser import Browser

# Rules of the WCAG up to 2.2 AA, and what axe's authors hold to be good practice besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """(async () => {
  const { violations, passes } = await axe.run(PLACE, { runOnly: RULES, resultTypes: ["violations"] });
  return {
    checked: passes.length,
    found: violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.flat()}: ${failureSummary}`)),
  };
})()"""


@cache
def source() -> str:
    """The script, as a package of PyPI brings it; that package's own driver is not used."""
    found = find_spec("axe_playwright_python")
    assert found is not None, "axe-playwright-python is not there: make venv"
    return (Path(str(found.origin)).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(browser: Browser, place: str = "document") -> list[str]:
    """What axe finds on the page that is open, in light and shadow trees.

    Args:
        browser: Where the page is open.
        place: An expression of JavaScript: what is looked at.
    """
    if browser.run("typeof axe") == "undefined":
        browser.call("Runtime.evaluate", expression=source())
    told = browser.run(RUN.replace("PLACE", place).replace("RULES", str(RULES)))
    assert told["checked"] > 5, "axe has looked at next to nothing"
    return list(told["found"])
