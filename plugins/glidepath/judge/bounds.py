"""Where a metric's effect lies, valid however often it is looked at."""

from __future__ import annotations

import math

import numpy as np

from glidepath.judge.evalue import Mask
from glidepath.judge.plan import MetricPlan
from glidepath.judge.values import finite


def bounds(
    plan: MetricPlan, better_row: int, worse: Mask, better: Mask, moody: bool
) -> tuple[float | None, float | None]:
    """The effect's bounds, out of which nulls are refuted: those of harm ("at most this"), and of safety ("at least this").

    Each bound ends the unbroken run of refuted nulls from its own end of the grid, so that it is wrong only if the
    one null next to the truth was refuted wrongly. The verdict's own null counts in any case: bound and verdict
    agree. An effect that changed can leave the two bounds crossed; then the present weight's is told, unless harm
    is proven.

    Args:
        plan: The metric's; better_row: index of its row "better than stable", -1 for none.
        worse, better: Of each question, whether its null of harm, and of safety, is refuted.
        moody: Whether only the rows that decide know of moods; what they don't refute no other row does.
    """
    values = np.array([row.value for row in plan.questions])
    if moody:
        if plan.harm >= 0 and not worse[plan.harm]:
            worse[plan.harm :] = False
        for row in (plan.safety, better_row):
            if row >= 0 and not better[row]:
                better[: row + 1] = False
    lower, upper = _run(worse), _run(better[::-1])
    low = values[lower - 1] if lower else -math.inf
    high = values[-upper] if upper else math.inf
    proven = plan.harm >= 0 and bool(worse[plan.harm])
    if proven:
        low = max(low, values[plan.harm])
    if plan.safety >= 0 and better[plan.safety]:
        high = min(high, values[plan.safety])
    if low >= high:
        low, high = (low, math.inf) if proven else (-math.inf, high)
    return finite(float(low)), finite(float(high))


def _run(flags: Mask) -> int:
    """How many flags are set from the first on, without a break."""
    return [*flags.tolist(), False].index(False)
