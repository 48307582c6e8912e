"""How releases stand, and what is asked of them, from a terminal: what the page says, and codes that a job can wait by."""

from __future__ import annotations

import json

import pytest

from glidepath.cli import releases
from glidepath.cli.main import main
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.release.people import Asked
from tests.support.releases import DAG, ENDS, undecided
from tests.support.stage import Stage


@pytest.fixture
def url(played_url: str) -> str:
    """The record of releases in every state."""
    return played_url


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
    for nowhere in (
        "sqlite:////nowhere/at/all.db",
        "no-url",
        "oracle+nothing://ann:secret@db/x",
        "sqlite://a:secret/x",
    ):
        assert main(["status", "--record", nowhere]) == 5
    assert main(["status", "--watch", "--record", "no-url"]) == 5, "no time helps"
    told = capsys.readouterr()
    assert told.out == ""
    assert "there is no release of nothing; name one" in told.err
    assert "secret" not in told.err
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
    assert len(json.loads(capsys.readouterr().out)) == len(ENDS)


def test_what_is_asked_is_in_the_record_with_who_and_why(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    told = undecided(stage)
    asked = ["--reason", "a customer complains", "--record", stage.record.url]
    assert main(["take-back", told.run.id, "--dry-run", *asked]) == 0
    assert Journal(stage.record, told.run.id).asked() == []
    assert main(["take-back", *asked]) == 0, "the only one under way is meant"
    assert "its guard follows in its next round: a customer complains" in capsys.readouterr().out
    [word] = Journal(Record(stage.record.url), told.run.id).asked()
    assert isinstance(word, Asked)
    assert (word.what, word.why) == ("take-back", "a customer complains")
    assert "@" in word.who
    told.guard.tick()
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert main(["hold", told.run.id, *asked]) == 1
    assert "hold was asked of release" in capsys.readouterr().err


def test_of_several_that_are_under_way_one_must_be_named(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("take-back", "hold"):
        assert main([what, "--reason", "fine", "--dry-run", "--record", url]) == 1
        told = capsys.readouterr().err
        assert "5 releases: " in told
        assert of("blind") in told
        assert of("promoted") not in told
        assert "expected the name of one of them" in told
        assert main([what, of("undecided"), "--reason", "fine", "--dry-run", "--record", url]) == 0
    assert main(["take-back", "--service", "nothing", "--reason", "fine", "--record", url]) == 1
    assert "no release of nothing is under way" in capsys.readouterr().err


def test_watching_outlasts_a_record_that_is_away_for_a_while(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from glidepath.errors import RecordError
    from glidepath.status import reads

    marks, away = reads.mark, [RecordError("gone")] * 3

    def mark(record: Record, release: str) -> str | None:
        if away:
            raise away.pop()
        return marks(record, release)

    monkeypatch.setattr("glidepath.cli.watching.POLL_S", 0.01)
    monkeypatch.setattr("glidepath.status.mark", mark)
    assert main(["status", of("promoted"), "--watch", "--record", url]) == 0
    told = capsys.readouterr()
    assert told.err.count("not read, tried again: gone") == 1
    assert told.err.count("it can be read again") == 1
    assert "PROMOTED: " in told.out


def test_watching_what_was_never_there_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--watch", "--timeout", "0", "--record", "sqlite:////nowhere/at/all.db"]) == 5
    assert "glidepath: " in capsys.readouterr().err


def test_a_terminal_has_a_table_of_the_same_words(url: str) -> None:
    from rich.console import Console

    from glidepath.cli.watching import table
    from glidepath.status import status
    from glidepath.status.telling import facts

    found = status(Record(url), of("taken-back"), 1_800_009_000.0)
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(found))
    shown = " ".join(console.export_text().split())
    for line in list(facts(found))[1:]:
        assert " ".join(line.partition(":")[2].split()) in shown
    assert "ROLLED BACK: errors" in shown
    assert "the service is let go" in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_releases(url: str, capsys: pytest.CaptureFixture[str], shell: str) -> None:
    import click

    from glidepath.cli.main import commands
    from glidepath.cli.releases import known, release_argument, status_of

    assert release_argument
    assert main(["completion", shell]) == 0
    assert "_GLIDEPATH_COMPLETE" in capsys.readouterr().out
    context = click.Context(status_of, parent=click.Context(commands))
    context.params["record"] = url
    argument = status_of.params[0]
    assert known(context, argument, f"{DAG}/manual__pro") == [of("promoted")]
    context.params["record"] = "sqlite:////nowhere/at/all.db"
    assert known(context, argument, "") == []


def test_a_reason_must_be_given(url: str) -> None:
    assert main(["take-back", of("undecided"), "--record", url]) == 2
