"""Dashboards and alert rules of releases: they ask only for what a watchdog tells, with labels that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from glidepath.watchdog.released import PHASES
from rig.dashboards import cells, dashboard_queries, panels, substituted
from tests.support.watched import exposed

ROOT = Path(__file__).parents[3] / "include"
BOARDS = {name: json.loads((ROOT / f"dashboards/{name}.json").read_text()) for name in ("release", "decision", "fleet")}
RULES = yaml.safe_load((ROOT / "alerts/glidepath.yaml").read_text())["groups"][0]["rules"]
VARIABLES = {"namespace": "shop", "service": "prices", "metric": "errors", "canary": ".*"}
NAME = re.compile(r"\bglidepath_\w+")
LABEL = re.compile(r'(\w+)(?:=~?|!~?=?)"([^"]*)"')


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a watchdog tells in the middle of a release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        return exposed(tmp_path_factory.mktemp("watched"))


def asked() -> list[tuple[str, str]]:
    """Every query, by where it stands."""
    found = [
        (f"{name}: {panel}", query)
        for name in BOARDS
        for panel, query in dashboard_queries(ROOT / f"dashboards/{name}.json", VARIABLES)
    ]
    for name, board in BOARDS.items():
        found += [
            (f"{name}: {one['name']}", substituted(one["expr"], VARIABLES)) for one in board["annotations"]["list"]
        ]
    return found + [(rule["alert"], rule["expr"]) for rule in RULES]  # fmt: skip


@pytest.mark.parametrize(("place", "query"), asked(), ids=[place for place, _ in asked()])
def test_a_query_asks_for_what_is_told(told: str, place: str, query: str) -> None:
    assert NAME.findall(query), place
    for name in NAME.findall(query):
        assert f"# TYPE {name} " in told, f"{place}: nothing tells {name}"
    for label, value in LABEL.findall(query):
        assert label in ("namespace", "service", "metric", "phase", "outcome", "canary"), place
        if label == "phase":
            assert set(value.split("|")) <= set(PHASES), place


def test_a_watchdog_tells_how_a_release_stands_and_how_the_last_ended(told: str) -> None:
    place = 'namespace="shop",service="prices"'
    assert f'glidepath_release_phase{{{place},phase="baking"}} 1' in told
    assert f'glidepath_release_phase{{{place},phase="promoted"}} 0' in told
    assert f'glidepath_release_ended_total{{{place},outcome="rolled_back"}} 1' in told
    assert re.search(rf'glidepath_release_harm_evidence_needed{{{place},metric="errors"}} 202\.', told)
    assert re.search(rf"glidepath_release_looks{{{place}}} [1-9]", told)
    assert f"glidepath_release_query_failures{{{place}}} 0" in told
    for line in told.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+-]+', line), line


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_says_what_it_shows_and_fits(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == f"glidepath-{name}"
    assert board["schemaVersion"] >= 41
    taken: set[tuple[int, int]] = set()
    for panel in panels(board):
        assert panel["description"].endswith(".")
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert not cells(panel) & taken
        taken |= cells(panel)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert {one["name"] for one in board["annotations"]["list"]} == {"Steps", "Decisions", "Watchdog"}


def unknown(given: Any, kept: Any, place: str = "") -> Iterator[str]:
    """Where a dashboard says what Grafana's own types do not keep."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from unknown(value, kept[key], f"{place}.{key}") if key in kept else [f"{place}.{key}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (value, other) in enumerate(zip(given, kept, strict=True)):
            yield from unknown(value, other, f"{place}[{number}]")
    elif given != kept:
        yield place


@pytest.mark.parametrize("path", sorted(ROOT.glob("dashboards/*.json")), ids=lambda path: path.stem)
def test_a_board_has_what_grafanas_own_types_have_and_nothing_else(path: Path) -> None:
    register_default_plugins()
    board = json.loads(path.read_text())
    kept = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    # What Prometheus' data source has for itself: how it words annotations, and what a variable was made of.
    theirs = re.compile(
        r"\.annotations\.list\[\d+\]\.(titleFormat|textFormat|step)|\.templating\.list\[\d+\]\.definition"
    )
    assert [place for place in unknown(board, kept) if not theirs.fullmatch(place)] == []
    board["panels"][0]["fieldConfg"] = {}
    assert ".panels[0].fieldConfg" in set(unknown(board, kept))


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict) -> None:
    assert rule["annotations"].keys() == {"summary", "description"}
    assert rule["labels"]["severity"] in ("warning", "critical")


@pytest.mark.parametrize("name", ["release", "decision"])
def test_a_board_of_one_release_shows_those_of_the_chosen_versions(name: str) -> None:
    """The variable is no `version`: a link takes it along, and `ab-testing` is to show the stable version as well."""
    asked_for = dashboard_queries(ROOT / f"dashboards/{name}.json", VARIABLES | {"canary": "CHOSEN"})
    assert [panel for panel, query in asked_for if query.count('canary=~"CHOSEN"') != 1] == []
    variables = {one["name"]: one for one in BOARDS[name]["templating"]["list"]}
    assert "version" not in variables
    chosen = variables["canary"]
    assert (chosen["multi"], chosen["includeAll"], chosen["allValue"]) == (True, True, ".*")
    assert list(variables).index("canary") == list(variables).index("service") + 1
