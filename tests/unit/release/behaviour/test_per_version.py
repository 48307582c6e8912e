"""Whole releases of a service whose versions are each a Helm release: the way up, the way back, and accidents on both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from glidepath.deploy import values as chart
from glidepath.errors import ReleaseTakenBack
from glidepath.release import brake
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.apiserver import ApiServer
from tests.support.crashes import Saved, process
from tests.support.fields import Object
from tests.support.per_version import PerVersionInMemory, SetsInMemory
from tests.support.stage import Stage
from tests.support.tasks import GOOD, Action, do, every_call, first, second, walked
from tests.unit.release.behaviour.test_crashes import BAD, assert_ended, every_write, go_on, harm
from tests.unit.release.behaviour.test_races import guard_brakes, watchdog_acts
from tests.unit.release.test_cleanup import end

WAY: tuple[Action, ...] = (claim, deploy, first, second, promote)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """v1 stable under traffic as a Helm release of its own, v2 not there yet."""
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    with ApiServer() as server:
        yield Stage(server, tmp_path, PerVersionInMemory)


def helm(stage: Stage) -> PerVersionInMemory:
    assert isinstance(stage.helm, PerVersionInMemory)
    return stage.helm


def there(stage: Stage) -> set[str]:
    """The versions that have a Helm release."""
    return {version for version, one in helm(stage).releases.items() if one.revision}


def deployed(stage: Stage, version: str) -> Object:
    return stage.server.find(f"{helm(stage).kind.lower()}s", f"prices-{version}")


class TestOneRelease:
    @pytest.fixture(params=[PerVersionInMemory, SetsInMemory], ids=["Deployments", "StatefulSets"])
    def stage(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
        """As `stage`, of either kind."""
        monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        with ApiServer() as server:
            yield Stage(server, tmp_path, request.param)

    def test_the_new_version_stays_and_the_old_ones_helm_release_goes(self, stage: Stage) -> None:
        run = stage.run()
        for action in GOOD[:3]:
            action(run)
        assert there(stage) == {"v1", "v2"}
        assert stage.weights() == {"v1": 80, "v2": 20}
        assert stage.states() == {"held"}
        for action in GOOD[3:]:
            action(run)
        assert there(stage) == {"v2"}
        assert stage.at_rest("v2")

    def test_the_canarys_helm_release_goes_once_its_traffic_is_away(self, stage: Stage) -> None:
        run = stage.run()
        for action in (claim, deploy, first):
            action(run)
        split_at_removal = []
        stage.server.before("DELETE", "s/prices-v2", lambda: split_at_removal.append(stage.weights().get("v2", 0)))
        brake.take_back(run, "errors")
        rollback(run)
        with pytest.raises(ReleaseTakenBack, match="v2 was taken back, v1 has all traffic: errors"):
            finish(run)
        assert (split_at_removal, there(stage)) == ([0], {"v1"})
        assert stage.at_rest("v1")

    def test_what_the_chart_can_not_be_told_is_added_to_what_it_renders(self, stage: Stage) -> None:
        run = stage.run()
        for action in (claim, deploy):
            action(run)
        made = deployed(stage, "v2")
        own = {"app": "prices", "version": "v2"}
        assert own.items() <= made["metadata"]["labels"].items()
        assert own.items() <= made["spec"]["template"]["metadata"]["labels"].items()
        assert not own.items() & made["spec"]["selector"]["matchLabels"].items()
        assert made["metadata"]["annotations"]["glidepath.dev/token"] == str(run.claim.token)

    def test_each_version_keeps_the_values_it_was_released_with(self, stage: Stage) -> None:
        before = helm(stage).of("v1").values
        helm(stage).given = {"config": "as of the next version"}
        run = stage.run()
        for action in (claim, deploy, first):
            action(run)
        assert helm(stage).of("v1").values == before
        assert helm(stage).of("v2").values["config"] == "as of the next version"
        for action in GOOD[3:]:
            action(run)
        helm(stage).given = {"config": "of nobody yet"}
        for _ in range(24):
            stage.clock += 5
            stage.prometheus.scrape("v2", 500, 2)
        taken_back = stage.run("again", version="v3")
        for action in (claim, deploy, first, harm, rollback, settle):
            action(taken_back)
        assert there(stage) == {"v2"}
        assert helm(stage).of("v2").values["config"] == "as of the next version"

    def test_a_persons_helm_upgrade_of_the_stable_version_says_how_many_replicas_there_are(self, stage: Stage) -> None:
        own = helm(stage).of("v1")
        own.upgrade({**own.values, "replicaCount": 4}, added=own.added)
        assert chart.stable_replicas(stage.helm.effective_values()) == 4
        run = stage.run()
        for action in GOOD:
            action(run)
        assert deployed(stage, "v2")["spec"]["replicas"] == 4
        assert stage.helm.effective_values()["replicas"]["stable"] == 4
        assert not stage.helm.values.get("versions")

    def test_one_release_after_the_other_though_the_stable_version_was_installed_with_an_older_token(
        self, stage: Stage
    ) -> None:
        for number in range(3):
            run = stage.run(f"dag/{number}")
            for action in (claim, deploy, first, harm, rollback, settle):
                action(run)
            with pytest.raises(ReleaseTakenBack):
                finish(run)
            assert stage.at_rest("v1")
        run = stage.run("dag/good")
        for action in GOOD:
            action(run)
        stage.clock += 600
        for _ in range(24):
            stage.clock += 5
            stage.prometheus.scrape("v2", 500, 2)
        for number in range(2):
            run = stage.run(f"dag/again-{number}", version="v3")
            for action in (claim, deploy, first, harm, rollback, settle):
                action(run)
            with pytest.raises(ReleaseTakenBack):
                finish(run)
            assert stage.at_rest("v2")

    def test_an_upgrade_by_hand_leaves_the_pods_those_of_their_version(self, stage: Stage) -> None:
        own = helm(stage).of("v1")
        own.added = ()
        own.upgrade({**own.values, "config": "by hand"})
        assert deployed(stage, "v1")["spec"]["template"]["metadata"]["labels"]["version"] == "v1"
        run = stage.run()
        for action in GOOD:
            action(run)
        assert stage.at_rest("v2")

    def test_a_fresh_baseline_has_the_stable_versions_values(self, stage: Stage) -> None:
        run = stage.run(policy="", weights=[20])
        run = Run("dag/fresh", run.spec.model_copy(update={"version": "v2"}), run.ports, run.say, run.now)
        values = chart.with_canary(dict(stage.helm.values), "v1", "v2", 0, 0, baseline="v1-baseline")
        helm(stage).given = {"config": "of v2"}
        stage.helm.upgrade(values)
        assert there(stage) == {"v1", "v2", "v1-baseline"}
        own = helm(stage).of("v1-baseline").values
        assert own["image"] == helm(stage).of("v1").values["image"]
        assert (own["fullnameOverride"], own["config"]) == ("prices-v1-baseline", "as of this version")


@pytest.fixture
def planned(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """A release of v2 to 20 and 80 %, just planned; calls that fail are tried again without a pause."""
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    return Saved(stage, stage.run(weights=[20, 80]), tmp_path)


def assert_whole(stage: Stage) -> None:
    """Helm has a release of the stable version, and of no other."""
    assert there(stage) == {stage.helm.values["roles"]["stable"]}, json.dumps(stage.written(), default=str)


@pytest.mark.parametrize("mode", ["dies", "refused", "lost"])
@pytest.mark.parametrize("way", [GOOD, BAD], ids=["good", "bad"])
def test_whatever_happens_at_a_write_the_next_try_goes_on(planned: Saved, way: tuple[Action, ...], mode: str) -> None:
    saved, hit = planned, set()
    for number, action in enumerate(way):
        for stage, run, fuse, through in every_write(saved, action, mode):
            hit.add(fuse.calls[fuse.at])  # type: ignore[index]
            go_on(stage, run, way[number + through :])
            assert_ended(stage, run, fuse, {"promoted"} if way is GOOD else {"rolled_back"})
            assert_whole(stage)
        saved = saved.after(action) if action is not finish else saved
    assert {"upgrade", "uninstall"} <= hit


@pytest.mark.parametrize("act", [guard_brakes, watchdog_acts], ids=lambda act: act.__name__)
@pytest.mark.parametrize("task", [1, 4], ids=["deploy", "promote"])
def test_somebody_acts_at_any_call(planned: Saved, task: int, act: Callable[[Stage, Run], object]) -> None:
    for stage, run, fuse in every_call(walked(planned, *WAY[:task]), WAY[task], act):
        do(process(stage, run), settle, finish)
        promoted = run.release.outcome == "promoted"
        assert promoted == brake.committed(run), fuse.where
        assert stage.at_rest("v2" if promoted else "v1"), (fuse.where, stage.written())
        assert_whole(stage)


@pytest.mark.parametrize("way", [WAY[:2], WAY, (*WAY[:4], rollback)], ids=["deploy", "promote", "rollback"])
def test_a_task_that_goes_on_when_the_release_has_ended_without_it_leaves_nothing(
    planned: Saved, way: tuple[Action, ...]
) -> None:
    for stage, run, fuse in every_call(walked(planned, *way[:-1]), way[-1], end):
        ended = stage.at_rest("v2" if run.release.outcome == "promoted" else "v1")
        assert ended, (fuse.where, fuse.calls[fuse.at :], stage.said[-8:], json.dumps(stage.written(), default=str))
        assert_whole(stage)
