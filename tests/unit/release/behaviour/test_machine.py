"""Releases, crashes and the watchdog in any order, on the real code: what must hold whatever happens."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from glidepath.errors import GlidepathError
from glidepath.release import brake
from glidepath.release.abort import abort
from glidepath.release.events import ObservationOver
from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.observe import observe
from glidepath.release.tasks.plan import plan
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from tests.support.apiserver import NAMESPACE, ApiServer
from tests.support.crashes import MODES, Died, Direct, Fuse, ports
from tests.support.stage import Stage
from tests.support.tasks import Action, first, second


def harm(run: Run) -> None:
    """The guard finds harm."""
    if run.release.token is not None:
        brake.take_back(run, "harm")


def killed(run: Run) -> None:
    """A task is killed."""
    abort(run, "killed")


def over(run: Run) -> None:
    """The guard says that the observation is over."""
    if run.release.phase == "observing" and not brake.taken_back(run):
        run.note(ObservationOver(3, "promote", "over", 0))


ORDER: tuple[Action, ...] = (
    claim, deploy, first, second, promote, over, observe, settle, finish,
)  # fmt: skip
ANY: tuple[Action, ...] = (*ORDER, harm, killed, rollback)
RELEASES = {"one": "v2", "two": "v3", "three": "v4"}
# The first two keep the old version for a while, one of them with a part of the traffic.
WINDOWS = {
    "one": "after_promotion: {warm: 60s, holdback: 5}\n",
    "two": "after_promotion: {warm: 60s}\n",
    "three": "",
}

which = st.sampled_from(sorted(RELEASES))
accidents = st.one_of(st.none(), st.tuples(st.integers(0, 14), st.sampled_from(MODES)))


class Releases(RuleBasedStateMachine):
    """Up to three releases of one service, each of a version of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.server = ApiServer()
        self.stage = Stage(self.server, Path(self._folder.name))
        self.runs: dict[str, Run] = {}
        self.done: dict[str, int] = {}
        self.ended: dict[str, str] = {}
        self.tokens: dict[str, int] = {}
        self.steady = 0.0
        self.watch()

    def teardown(self) -> None:
        try:
            if self.runs:
                self.everything_ends()
        finally:
            self.server._http.server_close()
            self._folder.cleanup()

    def watch(self) -> None:
        """A watchdog that has just started."""
        stage = self.stage
        self.watchdog = Watchdog(
            Direct(self.server, Fuse()), NAMESPACE, Health(), lambda: stage.clock, lambda: self.steady
        )

    @rule(name=which, accident=accidents)
    def planned(self, name: str, accident: tuple[int, str] | None) -> None:
        """Its plan task."""
        stage = self.stage
        fuse = Fuse(*accident) if accident else Fuse()
        spec = stage.spec(WINDOWS[name], version=RELEASES[name], weights=[20, 80])
        for _ in range(13):
            stage.traffic(canary=self.canary_now())
        try:
            plan(name, spec, ports(stage, fuse), stage.said.append, lambda: stage.clock)
        except (GlidepathError, Died):
            return
        self.runs.setdefault(name, Run(name, spec, ports(stage, Fuse()), stage.said.append, lambda: stage.clock))

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), count=st.integers(1, 7), accident=accidents)
    def next_tasks(self, data: st.DataObject, count: int, accident: tuple[int, str] | None) -> None:
        """The next of its DAG's tasks, the last of them with an accident; one that fails is the next again."""
        name = data.draw(st.sampled_from(sorted(self.runs)))
        for left in reversed(range(count)):
            number = self.done.get(name, 0)
            if self.carry_out(name, ORDER[number], None if left else accident):
                self.done[name] = min(number + 1, len(ORDER) - 1)

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), action=st.sampled_from(ANY), accident=accidents)
    def any_task(self, data: st.DataObject, action: Action, accident: tuple[int, str] | None) -> None:
        """Cleared by a person, or come late."""
        self.carry_out(data.draw(st.sampled_from(sorted(self.runs))), action, accident)

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), action=st.sampled_from(ANY), call=st.integers(0, 30))
    def stopped(self, data: st.DataObject, action: Action, call: int) -> None:
        """A process is stopped before one of its calls; somebody else acts, and it goes on where it was."""
        names = st.sampled_from(sorted(self.runs))
        name, other, meanwhile = data.draw(names), data.draw(names), data.draw(st.sampled_from((None, *ANY)))

        def between() -> None:
            if meanwhile is None:
                self.silence(None)
            else:
                self.attempt(other, meanwhile, Fuse())

        self.attempt(name, action, Fuse(call, between=between))

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), errors=st.sampled_from((0, 40)), scrapes=st.integers(1, 8), accident=accidents)
    def guarded(self, data: st.DataObject, errors: int, scrapes: int, accident: tuple[int, str] | None) -> None:
        """Its guard begins, looks some times at a canary that is good or bad, and ends."""
        name = data.draw(st.sampled_from(sorted(self.runs)))
        if self.runs[name].release.token is None or self.runs[name].release.plan is None:
            return
        canary, fuse = RELEASES[name], Fuse(*accident) if accident else Fuse()

        def looks(run: Run) -> None:
            guard = Guard(run)
            for _ in range(scrapes):
                self.stage.traffic(canary=self.canary_now(), errors=errors if self.canary_now() == canary else 0)
                guard.tick()

        self.attempt(name, looks, fuse)

    @rule(dies_at=st.none() | st.integers(0, 9))
    def silence(self, dies_at: int | None) -> None:
        """Nobody renews; the watchdog may end on the way, and its successor begins again."""
        if dies_at is not None:
            self.watchdog._api = self.watchdog._objects._api = Direct(self.server, Fuse(dies_at))
        for _ in range(5):
            self.stage.clock += 20
            self.steady += 20
            try:
                self.watchdog.look()
            except Died:
                break
        self.watch()

    def carry_out(self, name: str, action: Action, accident: tuple[int, str] | None) -> bool:
        """One process carries out one task; whether it got through."""
        before = {other: self.weight(other) for other in self.runs if brake.taken_back(self.runs[other])}
        through = self.attempt(name, action, Fuse(*accident) if accident else Fuse())
        for other, weight in before.items():
            assert self.weight(other) <= weight, f"{other} was taken back and got weight by {action} of {name}"
        return through

    def attempt(self, name: str, action: Action, fuse: Fuse) -> bool:
        """The same, with somebody else in between perhaps."""
        stage, run = self.stage, self.runs[name]
        process = Run(name, run.spec, ports(stage, fuse), stage.said.append, lambda: stage.clock)
        try:
            action(process)
            return True
        except (GlidepathError, Died):
            return False

    def weight(self, name: str) -> int:
        """What a release's canary has."""
        return self.stage.weights().get(RELEASES[name], 0)

    def canary_now(self) -> str:
        """The version beside stable."""
        return list(self.stage.weights())[-1]

    def holds(self, name: str) -> bool:
        """Whether a release holds the service."""
        return self.stage.holder() == name

    @invariant()
    def tokens_never_fall(self) -> None:
        for plural in ("leases", "virtualservices", "destinationrules", "deployments"):
            for one in self.server.all(plural):
                key = f"{plural} {one['metadata']['uid']}"
                token = int((one["metadata"].get("annotations") or {}).get("glidepath.dev/token", 0))
                assert token >= self.tokens.get(key, 0), key
                self.tokens[key] = token

    @invariant()
    def each_release_has_a_token_of_its_own(self) -> None:
        tokens = [run.release.token for run in self.runs.values() if run.release.token is not None]
        assert len(set(tokens)) == len(tokens)

    @invariant()
    def an_end_is_where_it_says(self) -> None:
        for name, run in self.runs.items():
            release = run.release
            if release.outcome is None or name in self.ended:
                continue
            self.ended[name] = release.outcome
            passed_on = any(words in str(release.reason) for words in ("next holder", "holds the service since"))
            if not passed_on and release.outcome != "refused":
                stable = release.canary if release.outcome == "promoted" else release.stable
                assert self.stage.weights().get(stable) == 100, (release, self.stage.weights())

    @invariant()
    def the_routes_lead_to_pods(self) -> None:
        for version, weight in self.stage.weights().items():
            assert not weight or version in self.stage.versions(), f"{version} has {weight} % and no Deployment"

    def everything_ends(self) -> None:
        """Every run's last tasks, tried again as Airflow does: nothing is left held, one version has everything."""
        self.silence(dies_at=None)
        for name in self.runs:
            for action in (settle, finish):
                for _ in range(3):
                    self.carry_out(name, action, None)
            self.an_end_is_where_it_says()
            assert self.runs[name].release.outcome is not None
        promoted = [RELEASES[name] for name, outcome in self.ended.items() if outcome == "promoted"]
        [stable] = [version for version, weight in self.stage.weights().items() if weight]
        assert stable in ("v1", *promoted)
        self.tokens_never_fall()
        self.the_routes_lead_to_pods()
        assert self.stage.holder() == ""


EXAMPLES = int(os.environ.get("EXAMPLES", "40"))


@pytest.mark.timeout(60 + 15 * EXAMPLES)
def test_whatever_happens_in_whatever_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    limits: Any = settings(
        max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Releases, settings=limits)
