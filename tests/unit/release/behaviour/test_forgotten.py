"""Releases that ended long ago leave the record, but for those of which something is still to be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glidepath.errors import PreflightError
from glidepath.release.cleanup import forget_old
from glidepath.release.events import Finished, HandedOver
from glidepath.release.journal import Journal
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from tests.support.crashes import Saved, process
from tests.support.stage import Stage, abandon
from tests.support.tasks import do, first, walked


def test_what_ended_long_ago_is_forgotten_but_for_what_is_owed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stage.run("one", version="v1")
    assert run.release.outcome == "nothing_to_do"
    owing = stage.run("two", version="v1")
    owing.note(HandedOver("promote", "done", "two"))
    stage.clock += 10 * 86400
    for days, left in ("", {"one", "two", "three"}), ("30", {"one", "two", "four"}), ("9", {"two", "five"}):
        monkeypatch.setenv("GLIDEPATH_RECORD_KEEP_DAYS", days)
        identity = {"": "three", "30": "four", "9": "five"}[days]
        forget_old(stage.record, stage.said.append, stage.clock)
        stage.run(identity, version="v1")
        assert {one.id for one in stage.record.recent()} >= left
    assert {one.id for one in stage.record.recent()} == {"two", "three", "four", "five"}
    assert stage.record.events("one") == []
    assert any("1 releases that ended over 9 days ago are deleted" in line for line in stage.said)


@pytest.fixture
def month(monkeypatch: pytest.MonkeyPatch) -> float:
    """Releases are kept for 30 days after their end, seconds."""
    monkeypatch.setenv("GLIDEPATH_RECORD_KEEP_DAYS", "30")
    return 30 * 86400.0


def forgotten(stage: Stage, run: Run) -> bool:
    """Whether a plan of now has deleted it."""
    forget_old(stage.record, stage.said.append, stage.clock)
    return stage.record.find(run.id) is None


def test_what_was_not_finished_is_not_forgotten_and_can_still_be(planned: Saved, month: float) -> None:
    """Airflow was away, or a person clears `finish` weeks later: it must not say that nothing was touched."""
    stage, run = walked(planned, claim, deploy, first, rollback).again()
    stage.clock += 2 * month
    assert not forgotten(stage, run)
    do(process(stage, run), finish)
    assert stage.at_rest("v1")
    assert forgotten(stage, run)


def test_what_runs_is_not_forgotten_however_long_ago_it_began(planned: Saved, month: float) -> None:
    stage, run = walked(planned, claim, deploy, first).again()
    stage.clock += 2 * month
    assert not forgotten(stage, run)


def test_what_another_release_has_had_since_is_forgotten(planned: Saved, month: float) -> None:
    stage, run = walked(planned, claim, deploy, first, rollback).again()
    abandon(stage)
    other = stage.run("dag/other", version="v3")
    claim(other)
    stage.clock += 2 * month
    assert forgotten(stage, run)


@pytest.mark.parametrize("outcome", ["promoted", "rolled_back"])
def test_what_is_owed_is_kept_until_a_later_promotion_overrules_it(stage: Stage, month: float, outcome: str) -> None:
    run = ended(stage, "one", "rolled_back")
    run.note(HandedOver("promote", "done", "one"))
    stage.traffic()
    ended(stage, "two", outcome)
    stage.clock += 2 * month
    assert forgotten(stage, run) == (outcome == "promoted")


def test_what_is_kept_keeps_nothing_else(stage: Stage, month: float) -> None:
    template = ended(stage, "one", "rolled_back").release
    for number in range(150):
        kept = replace(template, id=f"kept/{number}", service=f"s{number}", closed=template.created - number)
        stage.record.open_release(kept)
        Journal(stage.record, kept.id).write(HandedOver("promote", "done", kept.id), stage.clock)
    stage.traffic()
    last = ended(stage, "last", "rolled_back")
    stage.clock += 2 * month
    assert forgotten(stage, last)
    assert len(stage.record.recent(limit=999)) == 150


def ended(stage: Stage, identity: str, outcome: str) -> Run:
    """A release that has ended and was finished; its tasks were not carried out."""
    run = stage.run(identity)
    stage.record.set_token(identity, 1 + len(stage.record.recent()))
    run.close(Phase(outcome), "so it was")
    run.note(Finished(outcome))
    return run


def test_a_setting_that_can_not_be_read_is_refused_before_anything_is_deleted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = stage.run("dag/ended", version="v1")
    stage.clock += 10 * 86400
    monkeypatch.setenv("GLIDEPATH_RECORD_KEEP_DAYS", "1")
    monkeypatch.setenv("GLIDEPATH_RECORD_PACK_DAYS", "soon")
    with pytest.raises(PreflightError, match="GLIDEPATH_RECORD_PACK_DAYS='soon', expected a number of days"):
        stage.run("dag/new")
    assert {one.id for one in stage.record.recent()} == {ended.id}
