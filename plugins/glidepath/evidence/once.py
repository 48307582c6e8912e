"""A counter that comes by two ways is one counter."""

from __future__ import annotations

from collections.abc import Iterable

from glidepath.errors import EvidenceError
from glidepath.evidence.pace import Key
from glidepath.evidence.prometheus import Series

# Labels that say by which way a sample came, not what was counted.
WAYS = frozenset({"job", "service", "endpoint", "container", "prometheus", "prometheus_replica", "replica", "cluster"})


def counted_once(series: Iterable[Series]) -> None:
    """Make sure that no counter is there twice: each request would count as two, and evidence grow twice as fast.

    Raises:
        EvidenceError: Names the two ways by which one pod's counter came.
    """
    seen: dict[Key, Series] = {}
    for one in series:
        what = tuple(pair for pair in one.key if pair[0] not in WAYS)
        other = seen.setdefault(what, one)
        if other is not one:
            ways = [", ".join(f"{k}={v!r}" for k, v in way.key if (k, v) not in which.key) for way, which in
                    ((other, one), (one, other))]  # fmt: skip
            raise EvidenceError(
                f"{one.labels.get('__name__', 'a counter')} of pod {one.labels.get('pod', '?')} is there twice, with "
                f"{ways[0] or 'no such label'} and with {ways[1] or 'no such label'}: its requests would count twice. "
                "Let Prometheus scrape each pod once, or query through what removes duplicates"
            )
