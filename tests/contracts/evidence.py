"""The contract of `Evidence`, on one history: v1 serves 100 requests a scrape, v2 ten, of which one fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from glidepath.errors import EvidenceError
from glidepath.evidence import Evidence, Waiting, app_source

SCRAPE, SCRAPES = 5.0, 60
NAMESPACE, SERVICE = "sms-app", "model-service"
SOURCE = app_source(NAMESPACE, SERVICE, ["v1", "v2"])
EDGES = ("0.05", "0.1", "+Inf")
# Of v1's requests in a scrape so many take up to 50 ms, up to 100 ms, and longer.
QUICK, LATER, SLOW = 80, 15, 5


def history(began: float) -> Iterator[tuple[float, float, dict[str, str]]]:
    """Every sample: its time, its value, and its series' labels; `name` is `requests` or `latency`."""
    for number in range(SCRAPES):
        at = began + SCRAPE * number
        for version, part in (("v1", 10), ("v2", 1)):
            served = {"version": version, "pod": f"{SERVICE}-{version}-6c4f9d8b71-x001a"}
            failed = (number + 1) * (version == "v2")
            good = 10 * part * (number + 1) - failed
            yield at, good, {"name": "requests", "status": "success", **served}
            yield at, failed, {"name": "requests", "status": "error", **served}
            for edge, below in zip(EDGES, (QUICK, QUICK + LATER, 100), strict=True):
                yield at, round(good * below / 100), {"name": "latency", "status": "success", "le": edge, **served}


def keeps(evidence: Evidence, began: float) -> None:
    """What was served is counted, by version, once."""
    last = began + SCRAPE * (SCRAPES - 1)
    seen = evidence.cadence(SOURCE, "v1", last + 1)
    assert seen is not None
    assert seen.interval == pytest.approx(SCRAPE, abs=0.1)
    assert seen.lag == 0
    past = evidence.past(SOURCE, "v1", SCRAPE * 40, last + 1)
    counts = past.seen.versions["v1"]
    spans = (past.seen.end - past.seen.start) / SCRAPE
    assert (counts.requests, counts.errors) == (round(100 * spans), 0)
    assert past.seen.edges == (0.05, 0.1)
    assert counts.latency == tuple(round(part * spans) for part in (QUICK, LATER, SLOW))
    assert evidence.labels(SOURCE, SOURCE.requests, 60, last + 1)
    assert evidence.labels(SOURCE, SOURCE.requests, 60, began - 1000) == []
    with pytest.raises(EvidenceError, match="no series"):
        evidence.past(SOURCE, "v9", SCRAPE * 40, last + 1)


def watches(evidence: Evidence, began: float) -> None:
    """Intervals follow each other, and another watch goes on from the state of one."""
    source = replace(SOURCE, edges=(0.05, 0.1))
    watch = evidence.watch(source, "v1", ["v1", "v2"], SCRAPE)
    assert isinstance(watch.collect(began + 1), Waiting), "the first sample is the baseline"
    one = watch.collect(began + SCRAPE + 1)
    assert not isinstance(one, Waiting)
    told = {version: (counts.requests, counts.errors) for version, counts in one.versions.items()}
    assert told == {"v1": (100, 0), "v2": (10, 1)}
    assert isinstance(watch.collect(began + SCRAPE + 2), Waiting), "nothing is counted twice"
    state = watch.state()
    assert state is not None
    other = evidence.watch(source, "v1", ["v1", "v2"], SCRAPE)
    other.resume(state)
    assert other.end == watch.end
    late = other.collect(began + 3 * SCRAPE + 1)
    assert not isinstance(late, Waiting)
    assert late.start == one.end
    assert late.versions["v1"].requests == 200
