"""`python -m bench.evidence.measure`: one build's figures as JSON; which build is what PYTHONPATH finds first.

Goes by what evidence's port has had since its first cut, so that it runs on earlier builds.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import requests

from bench.evidence.service import CANARY, NAMESPACE, SCRAPE_S, SERVICE, STABLE
from glidepath.evidence import Collector, Prometheus, app_source, baseline

# A build that is slow on a busy machine is measured all the same.
PATIENCE_S = 120
answered = 0


def main() -> None:
    """Measure and print; arguments: the URL, the time of the first look, the seconds of past, how many looks, repeats."""
    url, at, past_s, looks, repeats = sys.argv[1], *map(float, sys.argv[2:])
    send = requests.Session.send

    def counted(self: requests.Session, request: Any, **how: Any) -> requests.Response:
        global answered
        answer = send(self, request, **how)
        answered += len(answer.content)
        return answer

    requests.Session.send = counted  # type: ignore[method-assign]
    prometheus = Prometheus(url, timeout_s=PATIENCE_S)
    source = app_source(NAMESPACE, SERVICE, [STABLE, CANARY])
    past = [measured(lambda: baseline(prometheus, source, STABLE, past_s, at)) for _ in range(int(repeats))]
    found = past[0].pop("value")
    counts = found.seen.versions[STABLE]
    collector = Collector(prometheus, source, STABLE, [STABLE, CANARY], SCRAPE_S)
    collector.collect(at)
    seen, served = [], 0
    for number in range(1, int(looks)):
        one = measured(lambda now=at + number * SCRAPE_S: collector.collect(now))  # type: ignore[misc]
        served += sum(arm.requests for arm in getattr(one.pop("value"), "versions", {}).values())
        seen.append(one)
    told = {
        "baseline": {what: min(one[what] for one in past) for what in ("cpu", "wall", "bytes")},
        "look": {what: statistics.median(one[what] for one in seen) for what in ("cpu", "wall", "bytes")},
        "dearest look": {what: max(one[what] for one in seen) for what in ("cpu", "wall", "bytes")},
        "counted": [counts.requests, counts.errors, *counts.latency, len(found.blocks), served],
    }
    print(json.dumps(told))


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """What it gave, the processor's and the wall clock's seconds, and the bytes of the answers."""
    before, cpu, wall = answered, time.process_time(), time.perf_counter()
    value = work()
    return {
        "value": value, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "bytes": answered - before,
    }  # fmt: skip


if __name__ == "__main__":
    main()
