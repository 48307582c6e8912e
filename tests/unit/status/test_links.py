"""Links lead to what there is, with the release's own time and service."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from glidepath.status import status
from glidepath.status.links import DASHBOARD, GRAFANA, grafana
from tests.support.releases import undecided
from tests.support.stage import Stage

BOARD = json.loads((Path(__file__).parents[3] / "include/dashboards/ab-testing.json").read_text())


def test_grafana_is_linked_with_time_and_service_where_it_is_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = status(stage.record, undecided(stage).run.id, stage.clock)
    monkeypatch.delenv(GRAFANA, raising=False)
    assert grafana(found) == ""
    monkeypatch.setenv(GRAFANA, "javascript:alert(1)")
    assert grafana(found) == "", "only what a browser may be sent to"
    monkeypatch.setenv(GRAFANA, "https://grafana.example.org/")
    parts = urlsplit(grafana(found))
    asked = parse_qs(parts.query)
    assert (parts.netloc, parts.path) == ("grafana.example.org", f"/d/{DASHBOARD}")
    assert asked["var-service"] == ["prices"]
    assert asked["var-version"] == ["v1", "v2"]
    assert asked["from"] == [f"{1000 * (found.identity.started - 300):.0f}"]
    assert asked["to"] == ["now"]


def test_the_dashboard_is_the_projects_own_and_knows_the_variables() -> None:
    assert BOARD["uid"] == DASHBOARD
    assert {"namespace", "service"} <= {one["name"] for one in BOARD["templating"]["list"]}
