"""Releases through Airflow's API: started, waited for with codes that a job can go by, and answered."""

from __future__ import annotations

import json
import time

import pytest

from glidepath.cli.main import main
from glidepath.release.asking import ask
from glidepath.release.journal import Journal
from tests.support.airflow_api import Api
from tests.support.releases import DAG


def run(name: str) -> str:
    """The id of a played release's run."""
    return f"manual__{name}+00:00"


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("promoted", 0, "PROMOTED"), ("taken-back", 1, "ROLLED BACK"), ("waiting", 3, "WAITING FOR YOU"), ("undecided", 4, "ADVANCING"),
    ],
)  # fmt: skip
def test_a_job_waits_for_a_release_and_ends_with_what_became_of_it(
    api: Api, capsys: pytest.CaptureFixture[str], name: str, code: int, told: str
) -> None:
    api.starts = run(name)
    asked = ["release", "prices", "--version", "v2", "--weights", "5,25", "--bake", "90s", "--wait", "--timeout", "0.2"]
    assert main(asked) == code
    assert f"{told}: " in capsys.readouterr().out
    method, path, body = api.got[0]
    assert (method, path) == ("POST", f"/api/v2/dags/{DAG}/dagRuns")
    assert body.pop("dag_run_id").startswith("manual__20")
    assert body == {"logical_date": None, "conf": {"version": "v2", "weights": [5, 25], "bake": "90s"}}
    assert main([*asked, "-o", "json"]) == code
    assert json.loads(capsys.readouterr().out)["banner"]["state"] == told


@pytest.mark.parametrize(
    ("state", "code", "told"), [("failed", 1, "refused"), ("success", 0, "without"), ("running", 4, "not planned yet")]
)
def test_one_that_is_not_in_the_record_is_told_by_its_run(
    api: Api, capsys: pytest.CaptureFixture[str], state: str, code: int, told: str
) -> None:
    api.starts, api.states = "manual__new", {"manual__new": state}
    assert main(["release", "prices", "--wait", "--timeout", "0.1"]) == code
    assert told in capsys.readouterr().out


def test_a_server_that_is_away_for_a_while_is_waited_out(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    started = api.answer

    def once_started(method: str, path: str, body: object) -> tuple[int, object]:
        answer = started(method, path, body)
        api.down = 3 if path.endswith("/dagRuns") else api.down
        return answer

    api.answer = once_started  # type: ignore[method-assign]
    assert main(["release", "prices", "--wait", "--timeout", "30"]) == 0
    assert "not read, tried again" in capsys.readouterr().err


def test_one_that_can_not_be_followed_any_more_is_not_told_as_taken_back(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = api.answer
    refused = (403, {"detail": "no longer yours"})
    monkeypatch.setattr(api, "answer", lambda method, *rest: refused if method == "GET" else answer(method, *rest))
    assert main(["release", "prices", "--wait", "-o", "json"]) == 5
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{DAG}/{run('promoted')} is started, and can't be followed: " in told.err


def test_a_dry_run_is_the_runs_own(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", DAG, "--dry-run", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"release": f"{DAG}/{run('promoted')}"}
    assert api.got[0][2]["conf"] == {"dry_run": True}


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (["release", "prices", "--weights", "five"], 2, "expected percents such as 5,25,50"),
        (["release", "nothing"], 1, "no such DAG"),
        (["release", "prices", "--tolerance", "1"], 2, "tolerance"),
        (["approve", "--reason", "fine", "--airflow", "nowhere"], 1, "expected http://HOST:PORT"),
        (["approve", "--reason", "fine", "--airflow", "http://a:b@x"], 1, "without user and password"),
    ],
)
def test_what_can_not_be_is_refused(
    api: Api, capsys: pytest.CaptureFixture[str], asked: list[str], code: int, told: str
) -> None:
    assert api.url
    assert main(asked) == code
    assert told in capsys.readouterr().err


def test_without_anybody_to_log_in_as_nothing_is_asked(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLIDEPATH_AIRFLOW_PASSWORD")
    assert main(["release", "prices"]) == 1
    assert "nobody to log in as" in capsys.readouterr().err
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_PASSWORD", "wrong")
    assert main(["release", "prices"]) == 1
    assert "does not let 'ann' in: 401" in capsys.readouterr().err
    assert api.got == []


@pytest.mark.parametrize(("what", "option"), [("approve", "promote"), ("reject", "rollback")])
def test_the_only_release_that_waits_is_answered_first_in_airflow_then_in_the_record(
    api: Api, capsys: pytest.CaptureFixture[str], what: str, option: str
) -> None:
    ask(api.record, f"{DAG}/{run('gated')}", "reject", "ben", "not today", time.time())
    assert main([what, "--reason", "seen it by hand", "--dry-run"]) == 0
    assert [method for method, _, _ in api.got] == ["GET", "GET"]
    assert main([what, "--reason", "seen it by hand"]) == 0
    (patched, path, answer), (posted, _, word) = api.got[-2:]
    assert (patched, posted) == ("PATCH", "POST")
    assert path.endswith("/dagRuns/manual__waiting%2B00%3A00/taskInstances/ask/-1/hitlDetails")
    assert answer["chosen_options"] == [option]
    assert word == {"what": what, "why": "seen it by hand"}
    [kept] = Journal(api.record, f"{DAG}/{run('waiting')}").asked()
    assert (kept.what, kept.who, kept.why) == (what, "ann", "seen it by hand")
    assert main([what, f"{DAG}/{run('waiting')}", "--reason", "again"]) == 1
    assert f"{what} was asked of release" in capsys.readouterr().err


@pytest.mark.parametrize(("what", "option"), [("approve", "begin"), ("reject", "rollback")])
def test_the_question_before_the_first_requests_is_another_tasks(api: Api, what: str, option: str) -> None:
    assert main([what, f"{DAG}/{run('gated')}", "--reason", "it is Tuesday"]) == 0
    path, answer = api.got[-2][1:]
    assert path.endswith("/taskInstances/ask_traffic/-1/hitlDetails")
    assert answer["chosen_options"] == [option]


def test_of_several_that_wait_none_is_answered(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["approve", "--reason", "which one"]) == 1
    assert "gated" in capsys.readouterr().err
    assert all(method == "GET" for method, _, _ in api.got)


def test_one_whose_start_is_not_answered_is_found_by_its_name(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.lost = True
    assert main(["release", "prices", "-o", "json"]) == 0
    name = api.got[0][2]["dag_run_id"]
    assert json.loads(capsys.readouterr().out) == {"release": f"{DAG}/{name}"}
    assert [method for method, _, _ in api.got] == ["POST", "GET"], "it is started once"


def test_one_of_which_nobody_says_whether_it_has_begun_is_not_told_as_refused(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.down = 2
    assert main(["release", "prices", "--wait", "-o", "json"]) == 5
    told = capsys.readouterr()
    assert told.out == ""
    assert f"look for the run {DAG}/{api.got[0][2]['dag_run_id']} before another is started" in told.err


def test_who_is_not_let_in_has_started_nothing(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_PASSWORD", "wrong")
    assert main(["release", "prices", "--wait"]) == 1
    assert "does not let 'ann' in" in capsys.readouterr().err
    assert api.got == []
