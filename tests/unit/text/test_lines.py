"""What a release says of a look: what decides comes first, in a line that a screen has room for."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from glidepath.judge import Look, MetricLook, Verdict
from glidepath.release.guard import Guard
from glidepath.text import lines
from tests.support.guards import started, ticks
from tests.support.stage import Stage

# Characters of Airflow's log in a window of 1,500 pixels, beside the list of tasks, time and level.
ROOM = 120


def metric(name: str, **given: object) -> MetricLook:
    """A metric, nothing known of it but its limits."""
    values: dict[str, object] = {
        "role": "critical", "estimate_stable": None, "estimate_canary": None, "effect": None, "low": None, "high": None,
        "limit": 1.1, "safe_limit": 1.1, "unit": "ratio", "harm_e": 1.0, "harm_threshold": 200.0, "safety_e": 1.0,
        "safety_threshold": 20.0,
    }  # fmt: skip
    return MetricLook(name, **{**values, **given})  # type: ignore[arg-type]


ERRORS = metric("errors", unit="points", effect=0.0, high=0.0474, limit=0.0005, safe_limit=0.006, harm_e=0.978)
LATENCY = metric("latency_p95", effect=1.339, low=1.1, high=1.611, harm_e=929.0, safety_e=0.194)


def test_what_is_told_only_has_no_limits() -> None:
    mean = metric("latency_mean", role="advisory", unit="mean", effect=1.2, limit=1.0, safe_limit=1.0)
    assert lines.metric_line(mean) == "latency_mean: x1.200; told only"


def look(*metrics: MetricLook, **given: object) -> Look:
    """A look at 20 %."""
    values: dict[str, object] = {
        "at": 0.0, "step": 1, "weight": 20, "verdict": Verdict.UNDECIDED, "reason": "evidence_growing", "suspicious": False,
        "proven_safe": False, "may_advance": False, "stable_requests": 1592, "canary_requests": 398,
        "step_canary_requests": 398, "metrics": metrics, "deciding": metrics[0].name, "remaining_s": None,
    }  # fmt: skip
    return Look(**{**values, **given})  # type: ignore[arg-type]


def test_proof_of_harm_names_its_metric_and_limit_first() -> None:
    seen = look(ERRORS, LATENCY, verdict=Verdict.FAIL, reason="harm_proven", suspicious=True, deciding="latency_p95")
    assert lines.look_line(seen, "look 4") == (
        "look 4: FAIL harm_proven: latency_p95 x1.339 in [x1.100, x1.611], harm beyond x1.100 (evidence 929 of 200); 20 %: "
        "canary 398, stable 1592"
    )


def test_while_nothing_is_decided_it_tells_what_is_furthest_from_proof() -> None:
    assert lines.look_line(look(ERRORS, metric("latency_p95")), "look 1") == (
        "look 1: UNDECIDED evidence_growing: errors +0.00 points in [..., +4.74], comparable below +0.60 points "
        "(evidence 1 of 20); 20 %: canary 398, stable 1592"
    )


def test_a_suspicion_tells_the_metric_that_is_suspected_and_never_one_that_decides_nothing() -> None:
    loud = metric("spam", role="advisory", harm_e=1e6)
    seen = look(ERRORS, loud, metric("latency_p95", harm_e=17.1), suspicious=True)
    assert "latency_p95 ... in [..., ...], harm beyond x1.100 (evidence 17.1 of 200)" in lines.look_line(seen, "look 2")


def test_a_canary_that_is_silent_has_no_metric_to_tell() -> None:
    seen = look(ERRORS, verdict=Verdict.FAIL, reason="canary_silent", deciding="traffic")
    assert lines.look_line(seen, "look 3") == "look 3: FAIL canary_silent; 20 %: canary 398, stable 1592"


# Of a hundred points, where every request of one version fails and none of the other's, a character may be cut.
EFFECTS = st.none() | st.floats(-0.99, 0.99)


@given(
    effect=EFFECTS, low=EFFECTS, high=EFFECTS,
    unit=st.sampled_from(["points", "ratio"]), sides=st.sampled_from(["above", "below", "both"]),
    counts=st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), evidence=st.floats(1e-12, 1e12),
)  # fmt: skip
def test_what_decides_has_room_on_a_screen(
    effect: float | None, low: float | None, high: float | None, unit: str, sides: str, counts: tuple[int, int], evidence: float
) -> None:  # fmt: skip
    one = metric(
        "latency_p95", effect=effect, low=low, high=high, unit=unit, sides=sides, safe_limit=0.5, safety_e=evidence
    )
    seen = look(one, reason="resolution_limited", canary_requests=counts[0], stable_requests=counts[1])
    assert lines.look_line(seen, "look 1000").index(" (evidence") <= ROOM


def test_a_guard_says_a_line_a_look_and_keeps_the_rest_for_who_asks(stage: Stage) -> None:
    run, _ = started(stage)
    details: list[str] = []
    guard = Guard(dataclasses.replace(run, detail=details.append))
    guard.tick()
    before = len(stage.said)
    ticks(stage, guard, 3)
    said = [line.split(":")[0] for line in stage.said[before:] if line.startswith("look ")]
    assert said == ["look 1", "look 2", "look 3"]
    assert [line.split(": ")[:2] for line in details[:2]] == [["look 1", "errors"], ["look 1", "latency_p95"]]
