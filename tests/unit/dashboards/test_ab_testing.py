"""The Grafana dashboard: its structure, and that every query can be written out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.dashboards import cells, dashboard_queries, panels, substituted

PATH = Path(__file__).parents[3] / "include" / "dashboards" / "ab-testing.json"
VARIABLES = {"namespace": "sms-app", "service": "model-service", "version": ".*"}
DASHBOARD = json.loads(PATH.read_text(encoding="utf-8"))
PANELS = list(panels(DASHBOARD))


def test_every_query_is_free_of_variables() -> None:
    queries = dashboard_queries(PATH, VARIABLES)
    assert len(queries) >= 15
    assert not [expr for _, expr in queries if "$" in expr]


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_panel_says_what_it_shows_and_is_by_version(panel: dict) -> None:
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        assert "$namespace" in target["expr"], "two services' versions would be added up"
        assert "by (version" in target["expr"] or "by (destination_version" in target["expr"]
        assert "version}}" in target["legendFormat"]


@pytest.mark.parametrize(
    "metric",
    [
        "app_predictions_total",
        "app_prediction_latency_seconds_bucket",
        "istio_requests_total",
        "istio_request_duration_milliseconds_bucket",
    ],
)
def test_application_and_mesh_are_both_shown(metric: str) -> None:
    assert any(metric in expr for _, expr in dashboard_queries(PATH, VARIABLES))


@pytest.mark.parametrize("quantile", ["0.50", "0.95", "0.99"])
def test_latency_quantiles(quantile: str) -> None:
    found = [expr for _, expr in dashboard_queries(PATH, VARIABLES) if f"histogram_quantile({quantile}" in expr]
    assert len(found) == 2


def test_variables_are_declared() -> None:
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == [
        "datasource",
        "namespace",
        "service",
        "version",
    ]


def test_a_version_may_be_chosen_and_shares_are_of_all_requests() -> None:
    for panel, query in dashboard_queries(PATH, VARIABLES | {"version": "CHOSEN"}):
        assert "CHOSEN" in query, panel
    [share] = [query for panel, query in dashboard_queries(PATH, VARIABLES) if panel.startswith("Share of requests")]
    assert share.count("destination_version=~") == 1, "the whole is of all versions"


def test_it_shows_what_a_release_did_as_the_other_boards_do() -> None:
    others = json.loads((PATH.parent / "release.json").read_text())
    assert DASHBOARD["annotations"] == others["annotations"]
    assert DASHBOARD["schemaVersion"] == others["schemaVersion"]


def test_panels_have_their_own_id_and_place() -> None:
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert not cells(panel) & taken
        taken |= cells(panel)


def test_unknown_variable_is_named() -> None:
    with pytest.raises(ValueError, match="variable 'pod'"):
        substituted('up{pod="$pod"}', VARIABLES)
