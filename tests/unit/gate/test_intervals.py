"""What was collected, in the judge's words."""

from __future__ import annotations

from dataclasses import replace

from glidepath.evidence import Counts
from glidepath.evidence.interval import Collected
from glidepath.gate import arm, interval_of
from glidepath.judge import ArmCounts

STABLE = Counts(10, 1, (5, 4), {"a": (6, 1), "b": (4, 0)}, {"spam": (2, 9)})
CANARY = Counts(3, 0, (3, 0), {"c": (3, 0)}, {"spam": (1, 3)})
COLLECTED = Collected(100.0, 105.0, (0.1,), {"v1": STABLE, "v2": CANARY})


def test_each_version_is_an_arm_with_its_pods_and_shares() -> None:
    assert arm(COLLECTED, "v1") == ArmCounts(10, 1, (5, 4), 2, {"a": (6, 1), "b": (4, 0)}, {"spam": (2, 9)})


def test_what_is_of_pods_that_are_set_apart_stays_so() -> None:
    sick = Counts(4, 1, (2, 1), {"b": (4, 1)}, {"spam": (0, 3)})
    collected = replace(COLLECTED, versions={"v1": replace(STABLE, apart=sick), "v2": CANARY})
    assert arm(collected, "v1").apart == ArmCounts(4, 1, (2, 1), 1, {"b": (4, 1)}, {"spam": (0, 3)})
    assert arm(collected, "v1").without_apart() == ArmCounts(6, 0, (3, 3), 1, {}, {"spam": (2, 6)})


def test_the_control_is_the_stable_arm() -> None:
    interval = interval_of(COLLECTED, "v1", "v2", 25, 2)
    assert interval.step == 2
    assert (interval.start, interval.end, interval.weight) == (100.0, 105.0, 25)
    assert (interval.stable, interval.canary) == (arm(COLLECTED, "v1"), arm(COLLECTED, "v2"))
    assert interval_of(COLLECTED, "v2", "v1", 25).stable == arm(COLLECTED, "v2")
