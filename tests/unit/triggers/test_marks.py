"""One query of the record for all that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glidepath.errors import RecordError
from glidepath.record import Record, reading
from glidepath.record.reading import Mark
from glidepath.release.run import Run
from glidepath.triggers.marks import marks
from tests.support.apiserver import ApiServer
from tests.support.guards import started
from tests.support.stage import Stage


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was asked for in each query; the polls follow each other quickly."""
    queries: list[list[str]] = []
    read = reading.marks

    def counted(record: Record, release_ids: list[str]) -> dict[str, Mark]:
        queries.append(sorted(release_ids))
        return read(record, release_ids)

    monkeypatch.setattr(reading, "marks", counted)
    monkeypatch.setattr("glidepath.triggers.marks.POLL_S", 0.05)
    return queries


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A release that has begun, in the record that is polled."""
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
    with ApiServer() as server:
        begun, _ = started(Stage(server, tmp_path))
        yield begun


def test_all_that_wait_are_asked_for_at_once(run: Run, asked: list[list[str]]) -> None:
    async def play() -> list[Mark | None]:
        gone = asyncio.ensure_future(marks()("dag/gone"))
        await asyncio.sleep(0)
        gone.cancel()
        return list(await asyncio.gather(*(marks()(name) for name in [run.id] * 20 + ["dag/none"])))

    found = asyncio.run(play())
    assert found[-1] is None
    assert len(set(found[:-1])) == 1
    assert asked == [["dag/gone", "dag/none", run.id]]
    before = found[0]
    assert before is not None
    run.ports.record.add_look(run.id, 1, 1.0, None, {"at": 1.0}, None, None)
    after = reading.marks(run.ports.record, [run.id])[run.id]
    assert after != before
    assert after.journal == before.journal
    run.ports.record.add_event(run.id, "watching", {}, 2.0)
    assert reading.marks(run.ports.record, [run.id])[run.id].journal != before.journal


def test_a_record_that_is_away_is_told_to_each_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    away = iter([RecordError("away")])

    def read(*_: Any) -> dict[str, Mark]:
        for error in away:
            raise error
        return {}

    monkeypatch.setattr("glidepath.triggers.marks._read", read)
    monkeypatch.setattr("glidepath.triggers.marks.POLL_S", 0.01)

    async def play() -> None:
        first = await asyncio.gather(*(marks()("a") for _ in range(3)), return_exceptions=True)
        assert [str(one) for one in first] == ["away"] * 3
        assert await marks()("a") is None

    asyncio.run(play())


def test_who_knows_a_journal_waits_until_it_has_more(run: Run, asked: list[list[str]]) -> None:
    async def play() -> None:
        known = await marks()(run.id)
        assert known is not None
        waiting = asyncio.ensure_future(marks()(run.id, known.journal))
        run.ports.record.add_look(run.id, 1, 1.0, None, {"at": 1.0}, None, None)
        while len(asked) < 4:
            await asyncio.sleep(0.01)
        assert not waiting.done()  # a look is none of the journal's
        run.ports.record.add_event(run.id, "watching", {}, 2.0)
        found = await waiting
        assert found is not None
        assert found.journal != known.journal
        assert await marks()("dag/none", known.journal) is None

    asyncio.run(play())
