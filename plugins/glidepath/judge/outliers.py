"""Pods of the stable version that are known to be sick.

A pod that has had more events than all others for as long as is known is in no mood as pods are in now and then. If
it counted as one, no version could be told from any other: what pods differ by would be as large as the worst fault. And
as a part of the stable version it would hide what a bad canary does. So it is set apart: harm is judged against all pods,
safety against the others, and what pods differ by is measured without it. The rule is empirical: it has no theorem. Both
e-values are valid whatever is set apart, as that is fixed before the canary gets traffic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glidepath.judge.counts import ArmCounts
from glidepath.judge.dispersion import Blocks, Stretch, counted, dispersion, rarer
from glidepath.judge.evalue import Array
from glidepath.judge.moods import Mood
from glidepath.judge.plan import Outlier
from glidepath.judge.settings import MetricSettings

# So many times the others' share; and so many times in each part of the past, by so many events at least, and so many times
# the worst of the others.
TIMES, ALWAYS_TIMES, LEAST_EVENTS = 1.5, 1.25, 3.0
# A part of the past, and how much of it must be known, seconds.
PART_S, KNOWN_S = 900.0, 3600.0
# At most one in so many pods is set apart: those that are many are what the version is. Of two pods nobody knows by how much
# they are used to differ, so one of them must have so many times the other's share.
ONE_IN = 3
OF_TWO = 5.0
# The logarithm of its multiple is so many times what the others' moods come to.
BEYOND_MOODS = 3.0
LEAST_SHARE = 1e-12

Places = NDArray[np.int64]


def outliers(pieces: Sequence[Stretch], settings: MetricSettings, edge: int) -> tuple[Outlier, ...]:
    """The pods that always have more events than the others, the worst first.

    Args:
        pieces: The stable's past, a stretch of time after another: each pod's counts in blocks, and a block's seconds.
        settings: The metric's.
        edge: As in `dispersion`.
    """
    pods, parts = _parts(pieces, settings, edge)
    if sum(seconds for _, _, seconds in parts) < KNOWN_S or len(pods) < 2:
        return ()
    requests, events = (np.array([part[place] for part in parts]) for place in (0, 1))
    events = rarer(requests, events, bool(events.sum() > requests.sum() / 2))
    shares = events.sum(axis=0) / np.maximum(requests.sum(axis=0), 1.0)
    worst = np.argsort(-shares, kind="stable")
    for many in range(max(1, len(pods) // ONE_IN), 0, -1):
        named, rest = worst[:many], worst[many:]
        others = float(events[:, rest].sum() / max(requests[:, rest].sum(), 1.0))
        least = max((TIMES if len(rest) > 1 else OF_TWO) * others, ALWAYS_TIMES * float(shares[rest].max()))
        if shares[named].min() >= least and _always(requests, events, named, rest):
            return tuple(Outlier(pods[pod], settings.name, float(shares[pod]), others) for pod in named)
    return ()


def beyond(candidates: Sequence[Outlier], kinds: Sequence[Mood]) -> tuple[Outlier, ...]:
    """Those of the outliers that the others' moods can't explain."""
    sigma = sum(mood.weight * mood.sigma for mood in kinds)
    return tuple(
        outlier
        for outlier in candidates
        if math.log(outlier.share / max(outlier.others, LEAST_SHARE)) > BEYOND_MOODS * sigma
    )


def set_apart(past: Sequence[Stretch], metrics: Iterable[tuple[MetricSettings, int]]) -> tuple[Outlier, ...]:
    """The pods that are known to be sick by any metric that decides.

    Args:
        past: The time before the baseline, and the baseline.
        metrics: The metrics' settings, each with the edge that its events are slower than (-1 where they are none).
    """
    made: list[Outlier] = []
    (older, older_s), (blocks, block_s) = past
    for settings, edge in metrics:
        candidates = outliers(past, settings, edge) if settings.decides else ()
        if candidates:
            names = frozenset(outlier.pod for outlier in candidates)
            rest = dispersion(without(blocks, names), block_s, settings, edge, without(older, names), older_s)
            made += [
                outlier for outlier in beyond(candidates, rest.moods) if outlier.pod not in {had.pod for had in made}
            ]
    return tuple(made)


def without(blocks: Blocks, names: frozenset[str]) -> Blocks:
    """The blocks' other pods."""
    return [{pod: counts for pod, counts in block.items() if pod not in names} for block in blocks]


def together(blocks: Blocks, names: frozenset[str], like: ArmCounts) -> ArmCounts:
    """What these pods counted in all blocks.

    Args:
        blocks: Each pod's counts.
        names: Which pods.
        like: Counts with the same buckets.
    """
    total = ArmCounts(0, 0, (0,) * len(like.latency), len(names))
    for block in blocks:
        for pod in names & block.keys():
            total = total.plus(block[pod])
    return replace(total, pods=len(names))


def _always(requests: Array, events: Array, named: Places, rest: Places) -> bool:
    """Whether each of the named has more than the rest in every part; arrays are shaped (parts, pods)."""
    others = (events[:, rest].sum(axis=1) + 0.5) / (requests[:, rest].sum(axis=1) + 1.0)
    enough = (events[:, named] >= LEAST_EVENTS) & (
        events[:, named] >= ALWAYS_TIMES * others[:, None] * requests[:, named]
    )
    return bool(enough.all())


def _parts(
    pieces: Sequence[Stretch], settings: MetricSettings, edge: int
) -> tuple[list[str], list[tuple[Array, Array, float]]]:
    """The pods, and of each part of the past their requests, their events, and its seconds."""
    pods = sorted({pod for blocks, _ in pieces for block in blocks for pod in block})
    return pods, [part for blocks, seconds in pieces for part in _cut(blocks, seconds, pods, settings, edge)]


def _cut(
    blocks: Blocks, block_s: float, pods: list[str], settings: MetricSettings, edge: int
) -> Iterator[tuple[Array, Array, float]]:
    every = max(1, round(PART_S / block_s))
    seen = sorted({pod for block in blocks for pod in block})
    places = [pods.index(pod) for pod in seen]
    requests, events = counted(blocks, settings, edge)
    for start in range(0, len(blocks) - every + 1, every):
        made = np.zeros((2, len(pods)))
        made[:, places] = [counts[start : start + every].sum(axis=0) for counts in (requests, events)]
        yield made[0], made[1], every * block_s
