"""What was collected, in the judge's words."""

from __future__ import annotations

from glidepath.evidence import Counts
from glidepath.evidence.collector import Collected
from glidepath.gate import arm, interval_of
from glidepath.judge import ArmCounts

STABLE = Counts(10, 1, (5, 4), {"a": (6, 1), "b": (4, 0)}, {"spam": (2, 9)})
CANARY = Counts(3, 0, (3, 0), {"c": (3, 0)}, {"spam": (1, 3)})
COLLECTED = Collected(100.0, 105.0, (0.1,), {"v1": STABLE, "v2": CANARY})


def test_each_version_is_an_arm_with_its_pods_and_shares() -> None:
    assert arm(COLLECTED, "v1") == ArmCounts(10, 1, (5, 4), 2, {"a": (6, 1), "b": (4, 0)}, {"spam": (2, 9)})


def test_the_control_is_the_stable_arm() -> None:
    interval = interval_of(COLLECTED, "v1", "v2", 25)
    assert (interval.start, interval.end, interval.weight) == (100.0, 105.0, 25)
    assert (interval.stable, interval.canary) == (arm(COLLECTED, "v1"), arm(COLLECTED, "v2"))
    assert interval_of(COLLECTED, "v2", "v1", 25).stable == arm(COLLECTED, "v2")
