"""The API of releases in a real Airflow: who may see what, and what comes back."""

from __future__ import annotations

import json

import pytest

from tests.support.served import Served
from tests.view.conftest import api

DATA = (
    "/glidepath/api/v1/releases",
    api("promoted"),
    api("promoted") + "/evidence",
    "/glidepath/",
    "/glidepath/releases/a/b",
)


@pytest.mark.parametrize("path", DATA)
def test_nobody_sees_nothing(served: Served, path: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 401
    assert "prices" not in answer.text


@pytest.mark.parametrize("path", [api("promoted"), api("promoted") + "/evidence"])
def test_who_may_not_read_a_dags_runs_is_refused(served: Served, path: str) -> None:
    answer = served.get(path, "stranger")
    assert answer.status_code == 403
    assert "prices" not in answer.text


def test_the_list_has_only_what_a_user_may_read(served: Served) -> None:
    assert served.get("/glidepath/api/v1/releases", "stranger").json() == {"releases": []}
    assert len(served.get("/glidepath/api/v1/releases", "eyes").json()["releases"]) == 6
    assert len(served.get("/glidepath/api/v1/releases?limit=2", "eyes").json()["releases"]) == 2


def test_a_release_comes_with_what_airflow_knows_of_its_run(served: Served) -> None:
    answer = served.get(api("waiting"), "eyes").json()
    assert answer["run"]["started_by"] == "ops"
    assert answer["status"]["banner"]["state"] == "WAITING FOR YOU"


def test_while_nothing_is_new_there_is_nothing_to_send(served: Served) -> None:
    tag = served.get(api("promoted"), "eyes").headers["ETag"]
    again = served.get(api("promoted"), "eyes", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert served.get(api("promoted"), "eyes", **{"If-None-Match": '"another"'}).status_code == 200


def test_a_release_that_is_not_there_is_404_and_a_wrong_number_422(served: Served) -> None:
    assert served.get(api("never"), "eyes").status_code == 404
    assert "no release" in served.get(api("never"), "eyes").json()["detail"]
    assert served.get("/glidepath/api/v1/releases?limit=0", "eyes").status_code == 422
    assert served.get(api("promoted") + "?after=-1", "eyes").status_code == 422


def test_the_evidence_is_what_the_command_line_exports(served: Served) -> None:
    lines = served.get(api("taken-back") + "/evidence", "eyes").text.splitlines()
    assert json.loads(lines[0])["release"] == "release_prices/manual__taken-back+00:00"
    assert len(lines) == 4, "a header and three looks"


def test_the_api_describes_itself(served: Served) -> None:
    told = served.get("/glidepath/openapi.json", "eyes").json()
    paths = told["paths"]
    assert "/api/v1/releases/{dag_id}/{run_id}" in paths
    assert "banner" in told["components"]["schemas"]["Status"]["properties"]
    assert all(one["description"] for path in paths.values() for one in path.values())


def test_airflow_lists_the_pages(served: Served) -> None:
    [plugin] = [one for one in served.get("/api/v2/plugins", "admin").json()["plugins"] if one["name"] == "glidepath"]
    assert {(one["name"], one["destination"]) for one in plugin["react_apps"]} == {
        ("Releases", "nav"),
        ("Release", "dag_run"),
    }
