"""The command line through a real Airflow, as a user whom it knows and without a way to the record."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from glidepath.cli.main import main
from glidepath.record import Record
from glidepath.release.journal import Journal
from tests.support.releases import DAG, ENDS
from tests.support.served import Served

PROMOTED, BLIND = f"{DAG}/manual__promoted+00:00", f"{DAG}/manual__blind+00:00"
As = Callable[[str], None]


@pytest.fixture
def as_user(served: Served, monkeypatch: pytest.MonkeyPatch) -> As:
    """Makes the environment that of a user's laptop."""
    for name in ("GLIDEPATH_RECORD_URL", "GLIDEPATH_AIRFLOW_USER", "GLIDEPATH_AIRFLOW_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_URL", served.url)

    def become(user: str) -> None:
        monkeypatch.setenv("GLIDEPATH_AIRFLOW_USER", user)
        monkeypatch.setenv("GLIDEPATH_AIRFLOW_PASSWORD", user)

    return become


def told(capsys: pytest.CaptureFixture[str], code: int, *command: str) -> str:
    """What a command says on standard output."""
    assert main(command) == code
    return capsys.readouterr().out


def test_who_may_only_look_reads_all_of_it(as_user: As, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    as_user("eyes")
    assert len(json.loads(told(capsys, 0, "history", "-o", "json"))) == len(ENDS)
    assert told(capsys, 0, "status", PROMOTED).startswith("PROMOTED: ")
    assert told(capsys, 0, "status", PROMOTED, "--watch").count("PROMOTED: ") == 1
    for command in ("history", f"status {PROMOTED}", f"export {PROMOTED}"):
        assert told(capsys, 0, *command.split()) == told(capsys, 0, *command.split(), "--record", served.record)
    for form, begin in (("html", "<!doctype html>"), ("markdown", "# prices: v1 -> v2"), ("json", "{")):
        assert told(capsys, 0, "report", PROMOTED, "-o", form).lower().startswith(begin.lower())


@pytest.mark.parametrize(("user", "status"), [("eyes", 4), ("stranger", 5)])
def test_who_may_not_ask_asks_nothing(
    as_user: As, served: Served, capsys: pytest.CaptureFixture[str], user: str, status: int
) -> None:
    as_user(user)
    assert main(["status", BLIND]) == status
    assert main(["take-back", BLIND, "--reason", "no telemetry"]) == 1
    assert "403" in capsys.readouterr().err
    assert [word for word in Journal(Record(served.record), BLIND).asked() if word.why == "no telemetry"] == []


def test_a_word_is_recorded_with_the_users_name(
    as_user: As, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    as_user("ops")
    main(["status", BLIND, "-o", "json"])
    # Another test may have held it.
    what, then = (
        ("resume", "hold") if "resume" in json.loads(capsys.readouterr().out)["actions"] else ("hold", "resume")
    )
    word = [what, BLIND, "--reason", "as Prometheus is", "-o", "json"]
    assert json.loads(told(capsys, 0, *word, "--dry-run"))["asked"] is False
    assert json.loads(told(capsys, 0, *word))["who"] == "ops"
    last = Journal(Record(served.record), BLIND).asked()[-1]
    assert (last.what, last.who, last.why) == (what, "ops", "as Prometheus is")
    assert main(word) == 1
    assert f"expected one of {then}, take-back" in capsys.readouterr().err
