"""A simulated service's past, as a plan sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judges.service import Service
from bench.judges.world import BASE_ERRORS, SCRAPE_S, counts
from glidepath.judge import ArmCounts

PAST_S, BLOCK_S = 1800.0, 15.0
OLDER_S, OLDER_BLOCK_S = 9000.0, 90.0


@dataclass(frozen=True)
class Past:
    """The stable's past.

    Attributes:
        seen: Its counts in the last `PAST_S`.
        blocks: Each pod's in that time, in blocks of `BLOCK_S`.
        older: Each pod's in the `OLDER_S` before, in blocks of `OLDER_BLOCK_S`.
    """

    seen: ArmCounts
    blocks: list[dict[str, ArmCounts]]
    older: list[dict[str, ArmCounts]]


def past(service: Service, random: Generator) -> Past:
    """Draw it. The older part has draws of its own: what is judged afterwards doesn't depend on whether it is looked at."""
    seen, blocks = _drawn(service, random, PAST_S, BLOCK_S)
    return Past(seen, blocks, _drawn(service, random.spawn(1)[0], OLDER_S, OLDER_BLOCK_S)[1])


def _drawn(
    service: Service, random: Generator, seconds: float, block_s: float
) -> tuple[ArmCounts, list[dict[str, ArmCounts]]]:
    pods = service.stable_pods
    blocks, every = int(seconds / block_s), int(block_s / SCRAPE_S)
    world = (service.past or service.world)(random, int(seconds / SCRAPE_S))
    rate = world.rate.reshape(blocks, every).mean(axis=1)
    share = (world.rate.reshape(blocks, every) / rate[:, None] / every)[..., None]
    errors, slower = (
        (share * np.broadcast_to(one, (len(one), pods)).reshape(blocks, every, pods)).sum(axis=1)
        for one in (world.errors, world.slower)
    )
    requests = random.poisson(rate[:, None] * service.per_second * block_s / pods, (blocks, pods))
    failed = random.binomial(requests, np.minimum(1.0, BASE_ERRORS * errors))
    buckets = random.multinomial(requests - failed, service.shape.buckets(np.array(service.edges), slower))
    by_pod = [
        {f"stable-{pod}": counts(requests[block, pod], failed[block, pod], buckets[block, pod]) for pod in range(pods)}
        for block in range(blocks)
    ]
    return counts(requests.sum(), failed.sum(), buckets.sum(axis=(0, 1)), pods), by_pod
