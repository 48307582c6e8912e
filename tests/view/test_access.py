"""The API of releases in a real Airflow: who may see what, and what comes back."""

from __future__ import annotations

import json

import pytest

from tests.support.releases import ENDS
from tests.support.served import Served
from tests.view.conftest import api

DATA = (
    "/glidepath/api/v1/releases",
    api("promoted"),
    api("promoted") + "/evidence",
    api("promoted") + "/report",
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
    assert len(served.get("/glidepath/api/v1/releases", "eyes").json()["releases"]) == len(ENDS)
    assert len(served.get("/glidepath/api/v1/releases?limit=2", "eyes").json()["releases"]) == 2
    going = served.get("/glidepath/api/v1/releases?under_way=true", "eyes").json()["releases"]
    assert {one["run_id"] for one in going} == {
        f"manual__{name}+00:00" for name in ENDS if name not in ("promoted", "taken-back")
    }


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


def test_the_report_is_a_page_that_loads_nothing(served: Served) -> None:
    answer = served.get(api("taken-back") + "/report", "eyes")
    assert answer.headers["content-type"].startswith("text/html")
    assert "ROLLED BACK: prices: v1 -&gt; v2" in answer.text
    assert "<script" not in answer.text


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


WORD = {"what": "hold", "why": "wait for the sale to end"}


def test_who_may_only_look_asks_nothing_and_nobody_neither(served: Served) -> None:
    path = api("undecided") + "/words"
    assert served.ask("POST", path, None, WORD).status_code == 401
    assert served.ask("POST", path, "stranger", WORD).status_code == 403
    assert served.ask("POST", path, "eyes", WORD).status_code == 403
    assert served.get(api("undecided"), "eyes").json()["may_ask"] is False
    assert served.get(api("undecided"), "ops").json()["may_ask"] is True
    assert "asks: hold" not in served.get(api("undecided"), "eyes").text


@pytest.mark.parametrize(
    ("word", "status", "told"),
    [
        ({"what": "resume", "why": "go on"}, 409, "expected one of take-back, commit"),
        ({"what": "delete", "why": "go on"}, 422, "take-back"),
        ({"what": "commit", "why": ""}, 422, "at least 3"),
        ({"what": "commit", "why": "go on", "who": "somebody else"}, 422, "who"),
    ],
)
def test_what_can_not_be_asked_is_refused_and_says_what_can(
    served: Served, word: dict[str, str], status: int, told: str
) -> None:
    answer = served.ask("POST", api("observed") + "/words", "ops", word)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


def test_a_form_of_another_site_asks_nothing(served: Served) -> None:
    # Such a form can't say that it sends JSON without the browser asking first.
    import requests

    headers = {"Authorization": f"Bearer {served.token('ops')}", "Content-Type": "text/plain"}
    answer = requests.post(f"{served.url}{api('observed')}/words", data=json.dumps(WORD), headers=headers, timeout=60)
    assert answer.status_code == 422


def test_nothing_is_approved_that_airflow_was_not_answered(served: Served) -> None:
    word = {"what": "approve", "why": "the errors are those of a test"}
    answer = served.ask("POST", api("waiting") + "/words", "ops", word)
    assert answer.status_code == 409
    assert "whose question nobody has answered with 'promote'" in answer.json()["detail"]
    actions = served.get(api("waiting"), "ops").json()["status"]
    assert "approve" in json.dumps(actions)
