"""The plan: chosen once, whatever happens while it is written; a plan that is no release never becomes one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from glidepath.errors import ClaimHeldError, EvidenceError, GlidepathError, PreflightError, ReleaseTakenBack
from glidepath.evidence import Counts, Prometheus
from glidepath.evidence.source import Source
from glidepath.gate import settings_of
from glidepath.judge import Plan, Verdict, plan_judgement
from glidepath.policy import LatencyMetric
from glidepath.release.guard import Guard
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.plan import plan
from glidepath.release.tasks.shift import shift
from tests.support.crashes import MODES, Died, Fuse, ports
from tests.support.stage import EDGES, Stage


def attempt(stage: Stage, identity: str, fuse: Fuse, **params: Any) -> bool | None:
    """One process plans; None when it does not get through."""
    try:
        return plan(identity, stage.spec(**params), ports(stage, fuse), stage.said.append, lambda: stage.clock)
    except (GlidepathError, Died):
        return None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("params", "go", "outcome"),
    [({}, True, None), ({"dry_run": True}, False, "dry_run"), ({"version": "v1"}, False, "nothing_to_do")],
    ids=["release", "dry_run", "nothing_to_do"],
)
def test_a_plan_that_was_interrupted_means_the_same_the_next_time(
    stage: Stage, mode: str, params: dict[str, Any], go: bool, outcome: str | None
) -> None:
    before = stage.written()
    for at in range(9):
        identity, fuse = f"dag/{at}", Fuse(at, mode)
        first = attempt(stage, identity, fuse, **params)
        assert first in (None, go), fuse.where
        for _ in range(2):
            assert attempt(stage, identity, Fuse(), **params) is go, fuse.where
        assert stage.record.get(identity).outcome == outcome, fuse.where
        if not fuse.blown:
            break
    assert not fuse.blown
    assert stage.written() == before


def test_what_an_ended_run_left_planned_is_closed_by_the_next(stage: Stage) -> None:
    for identity in ("d/deleted", "d/waits"):
        stage.run(identity)
    claimed = stage.run("d/claimed")
    claim(claimed)
    asked: list[str] = []

    def over(identity: str) -> bool:
        asked.append(identity)
        return identity != "d/waits"

    def planned() -> bool:
        return plan("d/next", stage.spec(), stage.ports(), stage.said.append, lambda: stage.clock, over)

    with pytest.raises(ClaimHeldError):
        planned()
    assert not asked  # nobody else's releases are touched while one of them holds the service
    with pytest.raises(ReleaseTakenBack):
        finish(claimed)
    for _ in range(2):
        assert planned()
    outcomes = {one.id: one.outcome for one in stage.record.recent()}
    assert outcomes == {"d/deleted": "refused", "d/waits": None, "d/claimed": "rolled_back", "d/next": None}
    assert any("d/deleted is closed: refused: its run ended before it had claimed" in line for line in stage.said)


def test_what_another_clusters_service_of_the_name_left_is_not_touched(stage: Stage) -> None:
    stage.run("d/gone", policy="connections: {kubernetes: elsewhere}\n")
    spec, ports = stage.spec(), stage.ports()
    assert plan("d/next", spec, ports, stage.said.append, lambda: stage.clock, over=lambda _: True)
    assert stage.record.get("d/gone").outcome is None


def test_a_chart_that_does_not_render_leaves_no_dry_run_behind(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def preview(_: object) -> object:
        raise PreflightError("no template")

    monkeypatch.setattr(stage.helm, "preview", preview)
    assert attempt(stage, "a", Fuse(), dry_run=True) is None
    assert stage.record.find("a") is None


def test_everything_is_frozen_with_the_time_of_the_plan(stage: Stage) -> None:
    run = stage.run(weights=[10, 40], tolerance=1.3)
    release = run.release
    assert (release.stable, release.canary, release.phase, release.token) == ("v1", "v2", "planned", None)
    assert release.created == stage.clock
    assert [step["weight"] for step in release.spec["steps"]] == [10, 40]
    assert release.plan is not None
    assert release.plan["settings"]["deadline_s"] == 1200


def test_a_service_without_requests_is_refused(stage: Stage) -> None:
    stage.prometheus.samples.clear()
    for _ in range(5):
        stage.clock += 5
        stage.prometheus.scrape("v1", 0)
    with pytest.raises(EvidenceError, match="had no request in the last 600 s"):
        stage.run()
    assert stage.record.find("dag/run") is None


def test_an_unreachable_prometheus_is_refused(stage: Stage) -> None:
    stage.prometheus.down = EvidenceError("no answer")
    with pytest.raises(EvidenceError, match="no answer"):
        stage.run()
    assert stage.record.find("dag/run") is None


def test_no_release_fails_for_want_of_the_hours_before(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []

    def before(_prometheus: Prometheus, _source: Source, _stable: str, window_s: float, until: float) -> None:
        asked.append((window_s, stage.clock - until))
        raise EvidenceError("no answer within 10 s")

    monkeypatch.setattr("glidepath.evidence.sampled.pods_before", before)
    assert stage.run() is not None
    assert asked == [(9000, 600)]
    assert any("the hours before the baseline are not looked at: no answer within 10 s" in one for one in stage.said)


def test_the_hours_before_reach_the_judge(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    told = {"a": Counts(100, 1, (99,) + (0,) * (len(EDGES)), {"a": (100, 1)}, {})}
    monkeypatch.setattr("glidepath.evidence.sampled.pods_before", lambda *_: ((told,), 75.0))

    def seen(*args: object) -> Plan:
        given.extend(args[-1])  # type: ignore[arg-type]
        return plan_judgement(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("glidepath.release.tasks.plan.plan_judgement", seen)
    stage.run()
    [[block], seconds] = given  # type: ignore[misc]
    assert (block["a"].requests, block["a"].errors, seconds) == (100, 1, 75.0)  # type: ignore[has-type]


def test_the_policy_s_numbers_reach_the_judge(stage: Stage) -> None:
    spec = stage.spec(tolerance=1.25, bake="30s", decision="superior")
    settings = settings_of(spec)
    assert [one.name for one in settings.metrics] == ["errors", "latency_p95"]
    [latency] = [one for one in spec.metrics if isinstance(one, LatencyMetric)]
    assert settings.metrics[1].quantile == latency.quantile == 0.95
    assert settings.metrics[1].tolerance == 1.25
    assert [(step.weight, step.bake_s, step.min_requests) for step in settings.steps] == [(20, 30, 100), (50, 30, 100)]
    assert (settings.decision, settings.alpha, settings.beta) == ("superior", spec.false_rollback, spec.wrong_promote)
    assert (settings.scrape_s, settings.deadline_s, settings.warmup_s) == (5, 1200, 0)


def test_the_plan_tells_what_it_can_see(stage: Stage) -> None:
    stage.run()
    said = "\n".join(stage.said)
    assert "shop/prices: stable v1 (2 replicas), wanted v2" in said
    assert "requests, 0.40 % errors, 1 pods" in said


def test_errors_alone_need_no_latency_buckets(stage: Stage) -> None:
    stage.prometheus.samples = {
        key: samples for key, samples in stage.prometheus.samples.items() if ("name", "latency") not in key
    }
    with pytest.raises(EvidenceError, match="no series app_prediction_latency"):
        stage.run("d/both")
    run = stage.run("d/errors", policy="metrics: [{kind: errors, safety_margin: 0.01}]\n")
    for task in (claim, deploy):
        task(run)
    shift(run, 1)
    guard = Guard(run)
    for _ in range(40):
        stage.traffic()
        stage.prometheus.samples = {
            key: samples for key, samples in stage.prometheus.samples.items() if ("name", "latency") not in key
        }
        guard.tick()
    assert run.journal.word_on(1) is not None
    assert guard.looks.newest is not None
    assert guard.looks.newest.verdict is not Verdict.NO_DATA


NEVER = "metrics: [{kind: errors}, {kind: latency, threshold: 301ms, margin: 0.01}]\n"


def test_what_can_never_be_proven_does_not_start(stage: Stage) -> None:
    before = stage.written()
    with pytest.raises(
        PreflightError,
        match=r"not within a month.*no latency bucket has its edge at 0.301 s.*make that metric a guard.*on_undecided",
    ):
        stage.run("d/never", policy=NEVER)
    assert (stage.written(), stage.record.find("d/never")) == (before, None)
    for action in ("hold", "promote"):
        assert stage.run(f"d/{action}", policy=f"{NEVER}on_undecided: {action}\n").release.plan is not None
    guard = "metrics: [{kind: errors}, {kind: latency, threshold: 301ms, margin: 0.01, role: guard}]\n"
    assert stage.run("d/guard", policy=guard).release.plan is not None


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("{result: spammy}", r"spam: of \d+ requests none was its event, .*result=~'spammy' \(ham, none, spam\)"),
        ("{kind: spam}", r"kind=~'spam' \(no series has this label\)"),
    ],
)
def test_a_share_that_matches_nothing_is_named(stage: Stage, event: str, told: str) -> None:
    metrics = "metrics: [{kind: errors}, {kind: share, name: spam, event: %s, margin: 0.1, sides: above}]\n"
    stage.run("d/named", policy=metrics % event)
    assert [one for one in stage.said if re.search(f"WARNING: .*{told}", one)], stage.said
    stage.said.clear()
    stage.run("d/counted", policy=metrics % "{result: '=~sp.+'}")
    assert not [one for one in stage.said if "none was its event" in one]


def test_pods_without_traffic_that_count_requests_are_named(stage: Stage) -> None:
    for _ in range(6):
        stage.clock += 5
        stage.prometheus.scrape("v1", 500, 2)
        stage.prometheus.scrape("v2", 3)
    stage.run("d/probed")
    [told] = [one for one in stage.said if "gets no traffic" in one]
    assert re.search(
        r"v2 gets no traffic, and 1 of its pods counted 15 requests in the last 60 s.*`evidence.ignore`", told
    )


def thinned(stage: Stage, every: int, lag: float = 0.0) -> None:
    """A Prometheus that scrapes each so many of the stage's scrapes only, and has samples late."""
    stage.clock += lag
    stage.prometheus.samples = {
        key: samples[-1 - every * ((len(samples) - 1) // every) :: every]
        for key, samples in stage.prometheus.samples.items()
    }


def test_the_interval_that_is_measured_is_what_the_release_goes_by(stage: Stage) -> None:
    thinned(stage, 3, 0.0)
    stage.run("d/slow", policy="")
    assert stage.record.get("d/slow").spec["evidence"]["scrape"] == 15
    assert any("the policy says evidence.scrape: 5 s; the release goes by 15 s" in line for line in stage.said)


def test_an_interval_by_which_the_policy_cannot_be_kept_is_refused(stage: Stage) -> None:
    thinned(stage, 5)
    with pytest.raises(
        PreflightError, match=r"samples are 25 s apart.*lease: 60 s, expected at least three scrapes \(75 s\)"
    ):
        stage.run("d/slower")
    assert stage.record.find("d/slower") is None


def test_samples_that_come_late_are_measured_and_those_that_come_too_late_refused(stage: Stage) -> None:
    thinned(stage, 1, 15.0)
    stage.run("d/late")
    evidence = stage.record.get("d/late").spec["evidence"]
    assert (evidence["scrape"], evidence["lag"]) == (5, 15)
    assert any("samples are 5 s apart, and can be read some 15 s later" in line for line in stage.said)
    stage.clock += 60
    with pytest.raises(PreflightError, match=r"newest sample of v1 is 75 s old, expected at most 60 s.*remote write"):
        stage.run("d/too-late")


def test_each_source_that_was_not_tried_is_said_before_anything_is_judged_by_it(stage: Stage) -> None:
    metrics = "metrics: [{kind: errors, safety_margin: 0.01}, {kind: errors, source: istio, role: guard}]\n"
    stage.run("d/untried", policy=metrics)
    told = [line for line in stage.said if "untried" in line]
    assert len(told) == 1
    assert told[0].startswith("plan: WARNING: source: istio is untried: its names are from documentation")
