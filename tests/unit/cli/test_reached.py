"""The same releases by the record's database and through Airflow: the same words, the same codes."""

from __future__ import annotations

import json

import pytest

from glidepath.cli.main import main
from glidepath.release.journal import Journal
from glidepath.release.people import Asked
from tests.support.airflow_api import Api
from tests.support.releases import DAG


@pytest.fixture(autouse=True)
def no_record(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no record."""
    assert api.url
    monkeypatch.delenv("GLIDEPATH_RECORD_URL", raising=False)


def of(name: str) -> str:
    """The identity of a release."""
    return f"{DAG}/manual__{name}+00:00"


def clockless(told: str) -> object:
    """JSON without the time at which it was told."""
    return {key: value for key, value in json.loads(told).items() if key != "now"}


@pytest.mark.parametrize(
    ("name", "code"), [("promoted", 0), ("taken-back", 1), ("waiting", 3), ("undecided", 4), ("blind", 4)]
)
def test_a_release_stands_so_either_way(api: Api, capsys: pytest.CaptureFixture[str], name: str, code: int) -> None:
    assert main(["status", of(name), "-o", "json"]) == code
    through, asked = clockless(capsys.readouterr().out), len(api.got)
    assert main(["status", of(name), "-o", "json", "--record", api.record.url]) == code
    assert clockless(capsys.readouterr().out) == through
    assert asked == len(api.got) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["history"], ["history", "--limit", "2", "-o", "json"], ["history", "--service", "nothing"],
        ["export", of("promoted")], ["export", of("promoted"), "-o", "json"],
    ],
)  # fmt: skip
def test_lists_and_evidence_are_the_same_to_the_byte(
    api: Api, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main(command) == 0
    through = capsys.readouterr().out
    assert main([*command, "--record", api.record.url]) == 0
    assert capsys.readouterr().out == through
    assert api.got[0][1].startswith("/glidepath/api/v1/releases")


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_a_report_comes_in_its_form(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("glidepath.cli.reached.time.time", lambda: 1_800_009_000.0)
    assert main(["report", of("promoted"), "-o", form]) == 0
    through = capsys.readouterr().out
    assert main(["report", of("promoted"), "-o", form, "--record", api.record.url]) == 0
    assert capsys.readouterr().out == through


def test_the_newest_is_meant_where_none_is_named(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "-o", "json"])
    newest = json.loads(capsys.readouterr().out)["identity"]["id"]
    main(["history", "--limit", "1", "-o", "json"])
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [newest]
    assert main(["status", "--service", "nothing"]) == 5
    assert "there is no release of nothing" in capsys.readouterr().err
    assert api.got


def test_what_is_asked_is_asked_by_the_user_whom_airflow_knows(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["take-back", of("undecided"), "--reason", "a  customer complains", "-o", "json"]
    assert main([*asked, "--dry-run"]) == 0
    told = {
        "release": of("undecided"),
        "asked": False,
        "what": "take-back",
        "who": "ann",
        "why": "a customer complains",
    }
    assert json.loads(capsys.readouterr().out) == told
    assert Journal(api.record, of("undecided")).asked() == []
    assert main(asked) == 0
    assert json.loads(capsys.readouterr().out) == told | {"asked": True}
    [word] = Journal(api.record, of("undecided")).asked()
    assert word == Asked("take-back", "ann", "a customer complains")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["commit", of("undecided"), "--reason", "fine", "--dry-run"], "expected one of hold, take-back"),
        (["commit", of("undecided"), "--reason", "fine"], "expected one of hold, take-back"),
        (["hold", of("promoted"), "--reason", "fine", "--dry-run"], "nothing can be asked of this one"),
        (["hold", of("undecided"), "--reason", "-"], "expected 3 to 500"),
        (["hold", "--reason", "fine"], "5 releases: "),
        (["hold", "nobody/knows", "--reason", "fine"], "404"),
        (["report", of("promoted"), "--policy", "include/policies/model-service.yaml"], "glidepath backtest"),
    ],
)
def test_what_can_not_be_is_refused_and_not_asked(
    api: Api, capsys: pytest.CaptureFixture[str], asked: list[str], told: str
) -> None:
    assert main(asked) == 1
    assert told in capsys.readouterr().err
    assert Journal(api.record, of("undecided")).asked() == []


def test_watching_asks_for_no_more_than_whether_there_is_anything_new(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", of("undecided"), "--watch", "--timeout", "0.3"]) == 4
    told = capsys.readouterr().out
    assert told.count("ADVANCING: ") == 1
    statuses = len([path for _, path, _ in api.got if "undecided" in path])
    assert api.unchanged == statuses - 1 > 2


def test_an_outage_is_waited_out(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.down = 3
    assert main(["status", of("promoted"), "--watch"]) == 0
    told = capsys.readouterr()
    assert told.err.count("not read, tried again") == 1
    assert "PROMOTED: " in told.out


def test_the_record_that_the_environment_names_goes_before_airflow(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", api.record.url)
    assert main(["status", of("promoted")]) == 0
    assert api.got == [], "take-back must not need Airflow where the record can be reached"
    assert main(["status", of("promoted"), "--airflow", api.url]) == 0
    assert api.got
    assert main(["status", of("promoted"), "--airflow", api.url, "--record", api.record.url]) == 2
    assert "expected one of them" in capsys.readouterr().err


def test_who_can_not_log_in_reads_nothing(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLIDEPATH_AIRFLOW_PASSWORD")
    assert main(["status", of("taken-back")]) == 5, "1 would say that it was taken back"
    assert main(["history"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("nobody to log in as") == 2
    assert api.got == []
