"""How releases stand, and what is asked of them, from a terminal: what the page says, and codes that a job can wait by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from glidepath.cli import releases
from glidepath.cli.main import main
from glidepath.record import Record
from glidepath.release.events import Asked
from glidepath.release.journal import Journal
from tests.support.apiserver import ApiServer
from tests.support.releases import DAG, undecided
from tests.support.stage import Stage


@pytest.fixture
def url(played_url: str) -> str:
    """The record of releases in every state."""
    return played_url


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    with ApiServer() as server:
        yield Stage(server, tmp_path)


def of(name: str) -> str:
    """The identity of a release."""
    return f"{DAG}/manual__{name}+00:00"


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        (
            "promoted",
            0,
            "PROMOTED: errors -1.20 points in [..., +0.14], comparable below +0.20 points; proven comparable",
        ),
        (
            "taken-back",
            1,
            "ROLLED BACK: errors +39.75 points in [+20.22, ...], harm beyond +0.05 points; proven harmful",
        ),
        (
            "waiting",
            3,
            "WAITING FOR YOU: Promote v2, or take it back? undecided (evidence_growing) when max_duration of 1200 s was over. Not proven: errors -0.25 points",
        ),
        ("undecided", 4, "ADVANCING: Step 1 of 2: v2 has 20 %, and no harm shows"),
        ("blind", 4, "HOLDING: There is no telemetry"),
        ("observed", 4, "OBSERVING: v2 is promoted"),
    ],
)
def test_status_says_it_first_and_ends_with_a_code_for_it(
    url: str, capsys: pytest.CaptureFixture[str], name: str, code: int, told: str
) -> None:
    assert main(["status", of(name), "--record", url]) == code
    assert capsys.readouterr().out.startswith(told)
    assert main(["status", of(name), "--record", url, "-o", "json"]) == code
    assert told.startswith(json.loads(capsys.readouterr().out)["banner"]["state"])


def test_a_release_or_a_record_that_is_not_there_is_no_release_that_was_taken_back(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "nobody/knows", "--record", url]) == releases.NOT_READ == 5
    assert main(["status", "--service", "nothing", "--record", url]) == 5
    assert main(["status", "--record", "sqlite:////nowhere/at/all.db"]) == 5
    told = capsys.readouterr()
    assert told.out == ""
    assert "the record has no release of nothing; name one" in told.err
    assert main(["status", "--timeout", "-1"]) == 2


def test_watching_a_release_that_is_over_tells_all_of_it_once_and_ends(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", of("promoted"), "--watch", "--record", url]) == 0
    out = capsys.readouterr().out
    told, rest = out.split("PROMOTED: ")
    assert told.splitlines()[-1].endswith("the service is let go")
    assert rest


def test_watching_ends_with_its_time_and_says_how_it_stands_then(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", of("undecided"), "--watch", "--timeout", "0", "--record", url]) == 4
    assert "ADVANCING: " in capsys.readouterr().out


def test_history_lists_the_newest_first_and_no_more_than_asked_for(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", "--limit", "2", "--record", url]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["history", "--record", url, "-o", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6


def test_what_is_asked_is_in_the_record_with_who_and_why(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    told = undecided(stage)
    asked = ["--reason", "a customer complains", "--record", stage.record.url]
    assert main(["take-back", told.run.id, "--dry-run", *asked]) == 0
    assert Journal(stage.record, told.run.id).asked() == []
    assert main(["take-back", *asked]) == 0, "the newest is meant"
    assert "its guard follows at its next tick: a customer complains" in capsys.readouterr().out
    [word] = Journal(Record(stage.record.url), told.run.id).asked()
    assert isinstance(word, Asked)
    assert (word.what, word.why) == ("take-back", "a customer complains")
    assert "@" in word.who
    told.guard.tick()
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert main(["hold", told.run.id, *asked]) == 1
    assert "hold was asked of release" in capsys.readouterr().err


def test_a_reason_must_be_given(url: str) -> None:
    assert main(["take-back", of("undecided"), "--record", url]) == 2
