"""Over-dispersion: how much more than chance one version's own pods differ.

The e-values take events as independent. Where pods have moods (a noisy node, a cold cache), counts of pods of the very
same version differ more than that, and so would those of two equal versions. Where the stable's pods show it,
the evidence that decides is taken under a model of their moods (`moods.py`), and the factor measured here widens
intervals. The factor is empirical: it has no theorem.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics import kind_of
from glidepath.judge.moods import Mood, moods, told
from glidepath.judge.settings import MetricSettings

SCALES_S = (15.0, 30.0, 60.0, 300.0, 900.0)
SIGNIFICANCE = 0.05
LEAST_MEAN = 1.0

Blocks = Sequence[Mapping[str, ArmCounts]]


class Stretch(NamedTuple):
    """A stretch of the stable's past: each pod's counts in consecutive blocks, none where nobody counted, and a block's seconds."""

    blocks: Blocks = ()
    block_s: float = 15.0


@dataclass(frozen=True)
class Dispersion:
    """How much more than chance pods differ, what that was measured on, for people, and what their moods may be."""

    phi: float
    told: str
    moods: tuple[Mood, ...] = ()


def dispersion(
    blocks: Blocks, block_s: float, settings: MetricSettings, edge: int, older: Blocks = (), older_s: float = 15.0
) -> Dispersion:
    """Measure one metric's over-dispersion on the stable's past.

    Args:
        blocks: The counts of each pod, in consecutive blocks of time; a pod that did not report is left out.
        block_s: Length of a block, seconds.
        settings: The metric's.
        edge: latency: a request above this bucket edge's index is slow, and that is the event; -1: errors are.
        older: Counts of the time before, in longer blocks: moods that last are seen more often in it.
        older_s: Length of such a block, seconds.
    """
    pods = sorted({pod for block in blocks for pod in block})
    if len(pods) < 2:
        return Dispersion(1.0, f"dispersion not measured: {len(pods)} stable pods in the baseline's blocks, needs two")
    requests, events = counted(blocks, settings, edge)
    factors = {}
    for scale in SCALES_S:
        size = max(1, round(scale / block_s))
        factor = _significant(_summed(requests, size), _summed(events, size), scales=len(SCALES_S))
        if factor is not None:
            factors[size * block_s] = factor
    if not factors:
        return Dispersion(1.0, f"dispersion not measured: too few events a block in {len(blocks)} blocks")
    scale = max(factors, key=factors.__getitem__)
    phi = max(1.0, factors[scale])
    where = f", most over {scale:.0f} s" if phi > 1 else ""
    text = f"dispersion {phi:.2f}, measured on {len(pods)} stable pods{where}"
    if phi == 1.0:
        return Dispersion(phi, text)
    pieces = [
        (*counted(past, settings, edge), length) for past, length in ((older, older_s), (blocks, block_s)) if past
    ]
    kinds = moods([(n, rarer(n, x, events.sum() > requests.sum() / 2), length) for n, x, length in pieces])
    return Dispersion(phi, f"{text}: {told(kinds) if kinds else 'too little to be moods of pods'}", kinds)


def rarer(requests: Array, events: Array, common: bool) -> Array:
    """What happens less often: the event, or, where that is `common`, that there was none."""
    return requests - events if common else events


def pearson(requests: Array, events: Array) -> tuple[float, float, float]:
    """The Pearson ratio of pods within blocks, its degrees of freedom, and the mean of 1/expected.

    Every block has a rate of its own, so what hits all pods at once is no dispersion.

    Args:
        requests: Shaped (blocks, pods).
        events: Likewise.
    """
    total = requests.sum(axis=1, keepdims=True)
    rate = np.divide(events.sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0)
    expected = requests * rate
    variance = expected * (1.0 - rate)
    used = variance > 0
    freedom = float((np.maximum(used.sum(axis=1) - 1, 0)).sum())
    if freedom == 0:
        return 0.0, 0.0, math.inf
    squares = np.divide((events - expected) ** 2, variance, out=np.zeros_like(variance), where=used)
    return float(squares.sum() / freedom), freedom, float(np.mean(1.0 / expected[used]))


def _significant(requests: Array, events: Array, scales: int) -> float | None:
    """The ratio over what chance alone reaches; None where there are too few events to say."""
    seen = requests > 0
    if not seen.any() or events.sum() / seen.sum() < LEAST_MEAN:
        return None
    ratio, freedom, inverse = pearson(requests, events)
    if freedom == 0:
        return None
    return ratio / _by_chance(freedom, inverse, SIGNIFICANCE / scales)


def _by_chance(freedom: float, inverse: float, rate: float) -> float:
    """What the ratio exceeds at this rate where pods are alike: of few blocks far more than a normal law says.

    Chi-squared by Wilson and Hilferty's cube, with the freedom that gives it the ratio's variance, (2 + inverse) / freedom.
    """
    spread = 2.0 / (9.0 * max(0.1, 2.0 * freedom / (2.0 + inverse)))
    return float((1.0 - spread + NormalDist().inv_cdf(1.0 - rate) * math.sqrt(spread)) ** 3)


def counted(blocks: Blocks, settings: MetricSettings, edge: int) -> tuple[Array, Array]:
    """Requests and events, shaped (blocks, pods); arguments as `dispersion`'s."""
    pods, kind = sorted({pod for block in blocks for pod in block}), kind_of(settings)
    requests, events = np.zeros((len(blocks), len(pods))), np.zeros((len(blocks), len(pods)))
    for row, block in enumerate(blocks):
        for column, pod in enumerate(pods):
            if pod not in block:
                continue
            events[row, column], requests[row, column] = kind.events(settings, edge, block[pod])
    return requests, events


def _summed(values: Array, size: int) -> Array:
    """Whole groups of so many blocks, added up; none when there are too few."""
    groups = values.shape[0] // size
    return np.asarray(values[: groups * size].reshape(groups, size, values.shape[1]).sum(axis=1))
