"""Plays one case: a release is started, struck in a phase, followed to its end, and everything that must hold is looked at."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from glidepath.errors import GlidepathError
from glidepath.release.journal import Journal
from rig import witness
from rig.airflow import DONE
from rig.environment import REPO, RigError
from tests.faults.arena import POLICY, Arena
from tests.faults.audit import writes
from tests.faults.catalogue import Fault
from tests.faults.invariants import Played, count_503, locked, try_broken
from tests.faults.scene import GOOD, HARMFUL, MOMENTS, Scene
from tests.faults.second import second_triggerer
from tests.support.policies import DAG_ID
from tests.support.world import lease

Say = Callable[[str], None]
# The policy's max_duration of 4 min, its deploy_timeout of 1 min, and 3 min for Airflow to find out what died.
DEADLINE_S = 480.0
PHASE_TIMEOUT_S = 150.0
assert POLICY["max_duration"] == "4m"


@dataclass(frozen=True)
class Result:
    """What became of one case. Times are seconds since the fault was made.

    Attributes:
        outcome: The release's, by the record; `not planned` when it was struck before; `error` when the case failed.
        to_safe_s: Until callers last sent the canary a request; None when the release went on and promoted it, 0 when
            it had no traffic.
        to_end_s: Until the run had ended and nothing was held.
        broken: What did not hold.
        failed_requests: Requests that failed before any version answered.
    """

    fault: str
    phase: str
    seed: int
    at: float
    commit: str
    outcome: str
    reason: str
    to_safe_s: float | None
    to_end_s: float | None
    broken: list[str]
    failed_requests: int
    notes: list[str]

    @property
    def held(self) -> bool:
        """Whether everything held that has to."""
        return not self.broken


def play(arena: Arena, fault: Fault, phase: str, seed: int, say: Say) -> Result:
    """Play one case; never raises for what goes wrong in it: that is its result."""
    rng = random.Random(seed)
    scene: Scene | None = None
    played: Played | None = None
    try:
        if fault.clock:
            arena.fake_clock(True)
        stable = arena.ready(say)
        if not fault.clock:
            arena.fake_clock(False)
        if fault.second:
            second_triggerer(arena, arena.home, True)
        moment = MOMENTS[phase]
        canary = "v3" if moment.version == HARMFUL else ("v2" if stable == "v1" else "v1")
        scene = Scene(arena, moment, stable, canary, rng, fault.dag_id or DAG_ID)
        before = count_503()
        scene.start()
        arena.wait(f"phase {phase!r}", scene.reached, PHASE_TIMEOUT_S)
        scene.hold_until(rng.uniform(0, moment.spread_s))
        scene.struck = time.time()
        say(f"{fault.name} in {phase!r}: {fault.what}")
        fault.strike(scene)
        left = _follow(scene, fault)
        ended, last = time.time(), scene.last_request()
        played = _played(scene, fault, before)
        if fault.run_lost and (any("is held" in one for one in locked()) or _left_planned(scene)):
            say("the run can't clean up any more: the next release has to")
            _next_release(scene)
            scene.notes.append("cleaned up by the next release, which was promoted")
            played = Played(scene.release_id, played.began, scene.stable, scene.canary)
        broken = [*left, *try_broken(scene.arena.record, played)]
        if fault.again and not broken:
            say("the next release has to go through")
            after = _next_release(scene)
            scene.notes.append("the next release was promoted")
            broken = try_broken(scene.arena.record, after)
        return _result(scene, fault, played, seed, None if left else ended, last, broken)
    except (AssertionError, RigError, GlidepathError, OSError, subprocess.SubprocessError) as error:
        return _failed(scene, fault, phase, seed, error)
    finally:
        if fault.clock:
            arena.clock(None)


def _follow(scene: Scene, fault: Fault) -> list[str]:
    """Wait for the end of the run and of the claim; what has not ended by the deadline."""
    allowed = DEADLINE_S + fault.longer_s
    deadline = scene.began + allowed
    while time.time() < deadline:
        if not (open_ := _open(scene, fault)):
            return []
        time.sleep(0.5)
    return [f"not ended {allowed:.0f} s after the start: {one}" for one in open_]


def _open(scene: Scene, fault: Fault) -> list[str]:
    """What is still under way."""
    under_way = []
    try:
        state = scene.arena.airflow.state(scene.dag_id, scene.run_id)
        if state not in DONE:
            under_way.append(f"the run is {state}")
    except RigError as error:
        if " 404 " not in str(error):
            raise
    except requests.RequestException:
        under_way.append("Airflow's api-server does not answer")
    found = scene.arena.record.find(scene.release_id)
    begun = found is not None and found.token
    if found is not None and found.outcome is None and not fault.run_lost and (begun or under_way):
        under_way.append(f"the release is {found.phase}")
    if lease()["spec"].get("holderIdentity"):
        under_way.append("the Lease is held")
    elif found is not None and found.token and not scene.journal.finished() and not fault.run_lost:
        under_way.append("the release is not finished")
    return under_way


def _played(scene: Scene, fault: Fault, before: dict[str, float]) -> Played:
    healed = scene.healed or time.time()
    harmful = scene.moment.version == HARMFUL
    return Played(
        release_id=scene.release_id,
        began=scene.began,
        stable=scene.stable,
        canary=scene.canary,
        harmful=harmful,
        ends=("rolled_back",) if harmful else fault.ends,
        people=fault.people,
        callers_may_fail=fault.callers_may_fail,
        outage=(scene.struck, healed) if fault.outage else None,
        says=fault.says if scene.moment.name == "baking" else "",
        refused_503=before,
    )


def _next_release(scene: Scene) -> Played:
    """Play the next release: it has to go through, and to leave nothing."""
    arena, began, before = scene.arena, time.time(), count_503()
    if scene.moment.version == HARMFUL:
        scene.canary = "v2" if scene.stable == "v1" else "v1"
    run_id = arena.airflow.trigger(
        DAG_ID, {"version": scene.stable if _promoted(scene) else scene.canary, "weights": [50]}
    )
    state = arena.airflow.wait_run(DAG_ID, run_id, DEADLINE_S)
    found = arena.record.find(f"{DAG_ID}/{run_id}")
    assert found is not None, "the record does not know the release after it"
    assert state == "success", f"the release after it ended {state}: {found.reason}"
    release = Played(f"{DAG_ID}/{run_id}", began, found.stable, found.canary, refused_503=before)
    scene.stable, scene.canary = found.canary, found.stable
    return release


def _left_planned(scene: Scene) -> bool:
    found = scene.arena.record.find(scene.release_id)
    return found is not None and found.outcome is None


def _promoted(scene: Scene) -> bool:
    found = scene.arena.record.find(scene.release_id)
    return found is not None and found.outcome == "promoted"


def _result(
    scene: Scene, fault: Fault, played: Played, seed: int, ended: float | None, last: float | None, broken: list[str]
) -> Result:
    """What became of a case that was played; `ended` is None when it had not by its deadline."""
    found = scene.arena.record.find(scene.release_id)
    promoted = found is not None and found.outcome == "promoted"
    seen = witness.counts(played.began)
    result = Result(
        fault=fault.name,
        phase=scene.moment.name,
        seed=seed,
        at=scene.struck,
        commit=commit(),
        outcome=str(found.outcome) if found else "not planned",
        reason=str(found.reason) if found else "",
        to_safe_s=None if promoted else round(max(0.0, (last or 0.0) - scene.struck), 2),
        to_end_s=None if ended is None else round(ended - scene.struck, 1),
        broken=broken,
        failed_requests=witness.routing_failures(seen),
        notes=scene.notes,
    )
    if result.broken:
        _keep(scene, result)
    return result


def _failed(scene: Scene | None, fault: Fault, phase: str, seed: int, error: Exception) -> Result:
    wrong = [f"{type(error).__name__}: {str(error)[:600]}"]
    at = scene.struck if scene else time.time()
    result = Result(
        fault.name, phase, seed, at, commit(), "error", "", None, None, wrong, 0, scene.notes if scene else []
    )
    if scene is not None:
        _keep(scene, result)
    return result


def _keep(scene: Scene, result: Result) -> None:
    """Keep what is needed to understand a case in which something did not hold."""
    folder = scene.arena.home / "failures" / f"{result.fault}-{result.phase.replace(' ', '-')}-{result.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(asdict(result), indent=1))
    record = scene.arena.record
    try:
        events = [(one.noted, one.kind, one.body()) for one in Journal(record, scene.release_id).entries()]
        (folder / "events.json").write_text("\n".join(json.dumps(one) for one in events))
        seen = [(one.at, one.user, one.verb, f"{one.kind}/{one.name}", one.code, one.token, one.weights, one.marks)
                for one in writes(scene.began)]  # fmt: skip
        (folder / "writes.json").write_text("\n".join(json.dumps(one) for one in seen))
        _keep_logs(scene, folder)
    except (RigError, GlidepathError, OSError, AssertionError) as error:
        (folder / "error.txt").write_text(repr(error))


def _keep_logs(scene: Scene, folder: Path) -> None:
    logs = f"logs/dag_id={scene.dag_id}/run_id={scene.run_id}"
    places = [scene.arena.home / logs, *scene.arena.home.glob(f"hosts/*/{logs}")]
    for file in sorted(one for place in places for one in place.rglob("*.log*")):
        told = [str(json.loads(line).get("event")) for line in file.read_text().splitlines() if line.startswith("{")]
        name = f"{file.parent.name}-{file.name}".replace("task_id=", "")
        (folder / name).write_text("\n".join(told))


def commit() -> str:
    """The commit that is played, with a + when the checkout has changes."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=REPO, capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (
        "+" if git("status", "--porcelain", "plugins", "include", "examples") else ""
    )


def as_row(result: Result) -> dict[str, Any]:
    """The result as JSON."""
    return asdict(result)


__all__ = ["GOOD", "Result", "as_row", "play"]
