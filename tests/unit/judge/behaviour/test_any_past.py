"""Whatever the stable version's past is, a judgement can be planned from it, and what is to be expected is told."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.judge import (
    ArmCounts,
    Interval,
    Judge,
    MetricSettings,
    Plan,
    Settings,
    StepSettings,
    Stretch,
    plan_judgement,
)

EDGES = (0.05, 0.055, 0.0605, 0.1)
STEPS = (StepSettings(5, 30, 50), StepSettings(50, 60, 100))


def arm(requests: int, errors: int, spam: int, slow: int) -> ArmCounts:
    """Counts of one pod; what is too many is cut."""
    errors = min(errors, requests)
    good = requests - errors
    slow = min(slow, good)
    buckets = (good - slow, slow // 3, slow // 3, slow - 2 * (slow // 3), 0)
    return ArmCounts(requests, errors, buckets, 1, {}, {"spam": (min(spam, good), good)})


@st.composite
def pods(draw: st.DrawFn) -> list[dict[str, ArmCounts]]:
    """Blocks of one to four pods that may differ in anything, some of them for good."""
    shares = st.floats(0, 1)
    kinds = [
        (draw(st.integers(0, 500)), draw(shares), draw(shares), draw(shares)) for _ in range(draw(st.integers(1, 4)))
    ]
    wobble = draw(st.lists(st.floats(0.2, 1.0), min_size=1, max_size=4))
    blocks = []
    for number in range(draw(st.sampled_from([4, 60]))):
        factor = wobble[number % len(wobble)]
        blocks.append(
            {
                f"pod-{pod}": arm(
                    n, round(n * e * factor), round(n * s * (1 if pod else factor)), round(n * q * factor)
                )
                for pod, (n, e, s, q) in enumerate(kinds)
            }
        )
    return blocks


@given(
    pods(), st.sampled_from(["above", "below", "both"]), st.floats(0.001, 0.9), st.floats(0, 10),
    st.sampled_from(["stable", "fresh"]),
)  # fmt: skip
@settings(max_examples=60)
def test_a_judgement_is_planned_told_written_down_and_used(
    blocks: list[dict[str, ArmCounts]], sides: str, margin: float, tolerance: float, control: str
) -> None:
    every = [one for block in blocks for one in block.values()]
    total = every[0]
    for one in every[1:]:
        total = total.plus(one)
    if total.requests == 0:
        return
    metrics = (
        MetricSettings("errors", "errors", "critical", tolerance, 0.0005, 0.002),
        MetricSettings("spam", "share", "critical", tolerance, margin, margin, sides=sides, counted="spam"),
        MetricSettings("latency_p95", "latency", "guard", 1.1, quantile=0.95),
    )
    by_pod = Stretch(blocks, 90.0)
    plan = plan_judgement(
        Settings(metrics, STEPS, 5.0, 3600, control=control), total, 1800, EDGES, 100.0, by_pod, by_pod
    )
    assert all(line for line in plan.feasibility.lines())
    assert all(one.seconds is None or one.seconds >= 0 for one in plan.feasibility.expectations)
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    judge = Judge(plan)
    for number, one in enumerate(every[:6]):
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, total, one))
        for metric in look.metrics:
            assert math.isfinite(metric.harm_e)
            assert math.isfinite(metric.safety_e)


def test_a_share_that_nearly_all_have_is_planned_by_the_side_that_can_be_reached() -> None:
    """Of 97 % no version can have 5 points more; pods that differ made of that a logarithm of less than nothing."""
    blocks = [{f"pod-{pod}": arm(300, 1, 291 - 6 * pod, 12) for pod in range(3)} for _ in range(60)]
    spam = MetricSettings("spam", "share", "critical", 0.0, 0.05, 0.05, sides="both", counted="spam")
    plan = plan_judgement(
        Settings((spam,), STEPS, 5.0, 3600), arm(54_000, 180, 52_300, 2_000), 5400, EDGES, 30.0, Stretch(blocks, 90.0)
    )
    assert plan.metrics[0].sides == ("below",)
    assert plan.metrics[0].moods
    assert plan.feasibility.expectations[0].seconds is not None


def test_a_margin_that_no_version_can_exceed_is_said_to_be_one() -> None:
    errors = MetricSettings("errors", "errors", "critical", 10.0, 0.0005, 0.002)
    plan = plan_judgement(Settings((errors,), STEPS, 5.0, 3600), arm(10_000, 1_000, 0, 0), 1800, EDGES, 30.0)
    assert plan.feasibility.expectations[0].seconds is None
    assert (
        "the stable's share is 10 %, the margin 100 points: no version can be beyond that"
        in plan.feasibility.warnings[0]
    )
