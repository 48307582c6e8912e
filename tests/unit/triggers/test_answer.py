"""The trigger that waits for a person's answer, and for a release that goes back without one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glidepath.errors import RecordError
from glidepath.release.brake import take_back
from glidepath.release.journal import Journal
from glidepath.release.run import Run
from glidepath.triggers.answer import AnswerTrigger
from tests.support.apiserver import ApiServer
from tests.support.guards import started
from tests.support.stage import Stage

HITL = "airflow.providers.standard.triggers.hitl"
OPEN = SimpleNamespace(response_received=False, chosen_options=None, responded_at=None, params_input=None)


class Airflow:
    """What Airflow has of the question."""

    def __init__(self) -> None:
        self.now: Any = OPEN
        self.asked = 0
        self.closed: list[str] = []

    def detail(self, ti_id: object) -> Any:
        self.asked += 1
        return self.now

    def close(self, ti_id: object, chosen_options: list[str], params_input: object) -> Any:
        self.closed = chosen_options
        return SimpleNamespace(responded_at=datetime(2026, 11, 28, tzinfo=UTC))


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Airflow:
    made = Airflow()
    monkeypatch.setattr(f"{HITL}.get_hitl_detail_content_detail", made.detail)
    monkeypatch.setattr("glidepath.triggers.answer.update_hitl_detail_response", made.close)
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    with ApiServer() as server:
        stage = Stage(server, tmp_path)
        made, _ = started(stage)
        monkeypatch.setattr("glidepath.record.Record", lambda: stage.record)
        yield made


def trigger(run: Run) -> AnswerTrigger:
    options = ["promote", "rollback"]
    return AnswerTrigger(
        release_id=run.id, unasked="rollback", ti_id="ti", options=options, params={}, defaults=["rollback"],
        timeout_datetime=None, poke_interval=0.01,
    )  # fmt: skip


async def ended(made: AnswerTrigger) -> dict[str, Any]:
    """Its event, which comes within seconds."""
    async with asyncio.timeout(10):
        async for event in made.run():
            return dict(event.payload)
    raise AssertionError("it ended without an event")


def test_an_answer_ends_it(run: Run, airflow: Airflow) -> None:
    airflow.now = SimpleNamespace(
        response_received=True, chosen_options=["promote"], responded_at=datetime(2026, 11, 28, tzinfo=UTC), params_input={},
        responded_by_user=SimpleNamespace(id="1", name="ann"),
    )  # fmt: skip
    event = asyncio.run(ended(trigger(run)))
    assert (event["chosen_options"], event["responded_by_user"]["name"]) == (["promote"], "ann")
    assert airflow.closed == []


def test_a_release_that_goes_back_ends_it_and_closes_the_question(run: Run, airflow: Airflow) -> None:
    async def both() -> dict[str, Any]:
        waiting = asyncio.create_task(ended(trigger(run)))
        while airflow.asked < 3:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        take_back(run, "harm was proven")
        return await waiting

    event = asyncio.run(both())
    assert (event["chosen_options"], event["responded_by_user"]) == (["rollback"], None)
    assert airflow.closed == ["rollback"]


@pytest.mark.usefixtures("airflow")
def test_a_record_that_is_away_ends_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def taken_back(_: Journal) -> bool:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RecordError("away")
        return True

    monkeypatch.setattr(Journal, "taken_back", taken_back)
    assert asyncio.run(ended(trigger(run)))["chosen_options"] == ["rollback"]
    assert tries == 3


def test_it_is_made_again_from_what_airflow_stores(run: Run) -> None:
    path, given = trigger(run).serialize()
    assert path == "glidepath.triggers.answer.AnswerTrigger"
    again = AnswerTrigger(**given)
    assert (again.release_id, again.unasked, again.options) == (run.id, "rollback", ["promote", "rollback"])
