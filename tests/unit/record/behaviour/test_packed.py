"""Releases whose looks are packed are the same releases: on pages, in reports, as evidence, judged again, by commands."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from glidepath.cli.main import main
from glidepath.record import Record, packing, paged, reading
from glidepath.release.cleanup import pack_ended
from glidepath.replay import export, replay
from glidepath.replay.evidence import rows
from glidepath.reporting import document, html, markdown
from glidepath.status import listed, status
from tests.unit.replay.world import POLICY, recorded

NOW = 1_800_900_000.0
JUDGED = "good", "bad"


@pytest.fixture
def record(played_url: str, tmp_path: Path) -> Record:
    """Releases that ended in every way, or did not, and two that were walked up to a verdict."""
    file = tmp_path / "record.db"
    with (
        closing(sqlite3.connect(played_url.removeprefix("sqlite:///"))) as played,
        closing(sqlite3.connect(file)) as own,
    ):
        played.backup(own)
    url = f"sqlite:///{file}"
    recorded(url, "good")
    return recorded(url, "bad", seed=2, errors=0.02)


def told(record: Record, folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What pages, reports, evidence, replay and commands say of all releases."""
    folder.mkdir()
    (folder / "policy.yaml").write_text(POLICY)
    said: dict[str, Any] = {"list": [asdict(row) for row in listed(record)]}
    for release in record.recent():
        stands, report = status(record, release.id, NOW), document(record, release.id, NOW)
        said[f"page of {release.id}"] = asdict(stands), asdict(status(record, release.id, NOW, after=3))
        said[f"report of {release.id}"] = markdown(report), html(report)
        if release.plan is not None:
            evidence = export(record, release.id)
            said[f"evidence of {release.id}"] = list(rows(evidence))
            said[f"replay of {release.id}"] = list(replay(evidence))
    for name in JUDGED:
        file = str(folder / f"{name}.jsonl")
        for command in (["export", name, "--file", file, "--record", record.url], ["replay", file],
                        ["report", name, "--record", record.url, "-o", "json"]):  # fmt: skip
            assert main(command) == 0
    assert main(["backtest", str(folder), "--policy", str(folder / "policy.yaml")]) == 0
    said["commands"] = capsys.readouterr().out
    return said


@pytest.mark.parametrize("size", [3, paged.PAGE])
def test_nothing_that_is_told_changes(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    monkeypatch.setattr(paged, "PAGE", size)
    before, marks = (
        told(record, tmp_path / "before", capsys),
        reading.marks(record, [one.id for one in record.recent()]),
    )
    said: list[str] = []
    pack_ended(record, said.append, NOW)
    assert len(said) == 1
    assert packing.to_pack(record, NOW, 99) == []
    assert told(record, tmp_path / "after", capsys) == before
    assert reading.marks(record, list(marks)) == marks


def packed(record: Record) -> dict[str, int]:
    """How many looks lie in pages, by release."""
    from sqlalchemy import text

    with record.reading() as connection:
        found = connection.execute(text("SELECT release_id, sum(last - first + 1) FROM glidepath_look_page GROUP BY 1"))
        return {str(row[0]): int(row[1]) for row in found}


def test_a_plan_packs_what_ended_a_day_ago_and_nothing_else(record: Record) -> None:
    over = {one.id: len(record.looks(one.id)) - 1 for one in record.recent() if one.closed is not None}
    day = max(record.get(name).closed or 0 for name in over) + 86400
    last = next(name for name in over if (record.get(name).closed or 0) + 86400 == day)
    pack_ended(record, print, day)
    assert packed(record) == {name: count for name, count in over.items() if count > 0 and name != last}
    pack_ended(record, print, day + 1)
    assert packed(record) == {name: count for name, count in over.items() if count > 0}


@pytest.mark.parametrize(("setting", "at", "some"), [("never", NOW, False), ("9", 1800.0, False), ("9", NOW, True)])
def test_the_setting_says_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, at: float, some: bool
) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_PACK_DAYS", setting)
    record = recorded(f"sqlite:///{tmp_path}/record.db")
    pack_ended(record, print, at)
    assert bool(packed(record)) is some


def test_a_plan_packs_so_many_pages_and_leaves_the_rest_to_the_next(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.release.cleanup.PAGES_AT_ONCE", 3)
    monkeypatch.setattr(paged, "PAGE", 10)
    all_looks, count = {one.id: record.looks(one.id) for one in record.recent()}, []
    while packing.to_pack(record, NOW, 1):
        pack_ended(record, print, NOW)
        count.append(sum(packed(record).values()))
        assert {name: record.looks(name) for name in all_looks} == all_looks
    assert len(count) > 5
    assert all(0 < later - earlier <= 30 for earlier, later in zip([0, *count], count, strict=False))


def test_a_record_that_cannot_be_written_is_no_fault_of_the_plan(record: Record) -> None:
    said: list[str] = []
    with closing(sqlite3.connect(record.url.removeprefix("sqlite:///"))) as database:
        # Any error of the database but a conflict.
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON glidepath_look_page BEGIN SELECT no_such_function(); END"
        )
        database.commit()
    before = {one.id: record.looks(one.id) for one in record.recent()}
    pack_ended(record, said.append, NOW)
    assert packed(record) == {}
    assert {name: record.looks(name) for name in before} == before
    assert [line.startswith("plan: looks of releases that are over stay as they are") for line in said] == [True]


def test_evidence_is_the_same_file_to_the_byte(record: Record, tmp_path: Path) -> None:
    files = [tmp_path / "before.jsonl", tmp_path / "after.jsonl"]
    for file in files:
        assert main(["export", "good", "--file", str(file), "--record", record.url]) == 0
        pack_ended(record, print, NOW)
    assert packed(record)["good"] > 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert json.loads(files[0].read_text().splitlines()[0])["release"] == "good"
