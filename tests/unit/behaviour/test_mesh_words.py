"""Which mesh there is, is said in few places: a release, its guard and the watchdog know routes and weights."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "plugins" / "glidepath"
WORDS = re.compile(r"istio|virtualservice|destinationrule|subset|sidecar|waypoint", re.IGNORECASE)
KNOWN = {
    "traffic": "the port",
    "deploy/mesh.py": "what charts render for it",
    "wiring/cluster.py": "chooses it",
    "evidence/source.py": "its counters, which tell what callers saw",
    "evidence/fitting.py": "a preset of that name",
    "policy": "presets and defaults of that name",
    "cli/written.py": "a preset of that name",
}


def named() -> set[str]:
    """The modules that name a mesh's things."""
    modules = (path for path in PACKAGE.rglob("*.py") if WORDS.search(path.read_text()))
    return {str(path.relative_to(PACKAGE)) for path in modules}


def test_no_other_module_names_a_meshs_things() -> None:
    assert {module for module in named() if not any(Path(module).is_relative_to(place) for place in KNOWN)} == set()


def test_each_of_the_places_does() -> None:
    assert {place for place in KNOWN if any(Path(module).is_relative_to(place) for module in named())} == set(KNOWN)
