"""A release that was under way when Glidepath was upgraded goes on: its record is one of each version before."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from glidepath.errors import ReleaseTakenBack
from glidepath.judge import Interval, Judge, Plan
from glidepath.policy import ReleaseSpec
from glidepath.record import Record
from glidepath.record.schema import OLDER
from glidepath.release import brake
from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.settle import settle
from tests.support.guards import ticks
from tests.support.stage import Stage
from tests.support.tasks import GOOD
from tests.unit.record.test_schema import of_version

OLD = Path(__file__).parents[2] / "record" / "of_0_1"


@pytest.fixture(params=[None, *OLDER])
def run(stage: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """At step 1 of 2, seven looks after its first weight; and the cluster as it was then."""
    url = of_version(tmp_path / "old.db", request.param)
    was = json.loads((OLD / "cluster.json").read_text())
    stage.server.objects = {tuple(key): found for key, found in was["objects"]}
    stage.clock, stage.record = was["clock"], Record(url)
    stage.helm.values, stage.helm.state = was["values"], was["state"]
    stage.helm.revision, stage.helm.newest = was["revision"], was["newest"]
    spec = ReleaseSpec.from_dict(stage.record.get("dag/run").spec)
    return Run("dag/run", spec, stage.ports(), stage.said.append, lambda: stage.clock)


def test_its_guard_judges_on_from_the_looks_that_there_are(run: Run) -> None:
    guard = Guard(run)
    assert guard.looks.seq == len(run.ports.record.looks(run.id)) == 7
    newest = run.ports.record.last_look(run.id)
    assert guard.looks.newest is not None
    assert json.loads(json.dumps(guard.looks.newest.to_dict())) == newest


def alike(told: Any, recorded: Any) -> bool:
    """Whether two looks are the same but for a number's last bits: another processor has another logarithm there."""
    if isinstance(told, dict) and isinstance(recorded, dict):
        return told.keys() == recorded.keys() and all(alike(told[key], recorded[key]) for key in told)
    if isinstance(told, list) and isinstance(recorded, list):
        return len(told) == len(recorded) and all(map(alike, told, recorded))
    if isinstance(told, float) and isinstance(recorded, float):
        return math.isclose(told, recorded, rel_tol=1e-12)
    return bool(told == recorded)


def test_its_looks_are_judged_the_same(run: Run) -> None:
    judge = Judge(Plan.from_dict(run.release.plan or {}))
    for _, interval, look in run.ports.record.looks(run.id):
        assert interval is not None
        assert alike(json.loads(json.dumps(judge.look(Interval.from_dict(interval)).to_dict())), look)


@pytest.mark.parametrize(("told", "same"), [(1.0 + 1e-15, True), (1.0 + 1e-9, False), (2, False), ("1.0", False)])
def test_last_bits_are_all_that_may_differ(told: Any, same: bool) -> None:
    assert alike({"metrics": [{"low": told}]}, {"metrics": [{"low": 1.0}]}) is same


def test_it_is_promoted(run: Run, stage: Stage) -> None:
    for action in GOOD[3:]:
        action(run)
    assert run.release.outcome == "promoted"
    assert stage.at_rest("v2")


def test_it_is_taken_back(run: Run, stage: Stage) -> None:
    guard = Guard(run)
    ticks(stage, guard, 1)
    brake.take_back(run, "harm")
    settle(run)
    with pytest.raises(ReleaseTakenBack, match="harm"):
        finish(run)
    assert stage.at_rest("v1")
