"""`python -m bench.shared.measure`: one build's figures as JSON; which build is what PYTHONPATH finds first.

A build that has no reader for many is polled twice a scrape in a thread a guard, as its triggers did.
"""

from __future__ import annotations

import asyncio
import json
import math
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import requests

from bench.shared.services import CANARY, SCRAPE_S, STABLE, namespace, service
from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Prometheus, SampledEvidence, app_source
from glidepath.evidence.interval import Collected

# Until all have had their first look, seconds.
WARM_S = 12.0
PATIENCE_S = 30


class Figures:
    """What is counted while it is measured."""

    def __init__(self) -> None:
        self.on, self.asked, self.bytes = False, 0, 0
        self.lags: list[float] = []
        self.counted = self.failed = 0
        self._lock = threading.Lock()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Count what was not told instead of raising it."""
        try:
            yield
        except EvidenceError as error:
            with self._lock:
                self.failed += 1
                if self.failed == 1:
                    print(str(error)[:400], file=sys.stderr)

    def sent(self, answer: requests.Response) -> None:
        """A request was answered."""
        with self._lock:
            self.asked += self.on
            self.bytes += self.on * len(answer.content)

    def saw(self, found: object) -> None:
        """A guard looked: how long after the newest sample."""
        if isinstance(found, Collected) and self.on:
            with self._lock:
                self.lags.append(time.time() - found.end)
                self.counted += sum(arm.requests for arm in found.versions.values())


class Guard:
    """A guard that does nothing but fetch."""

    def __init__(self, watch: Any, figures: Figures) -> None:
        self.run = SimpleNamespace(spec=SimpleNamespace(evidence=SimpleNamespace(scrape=SCRAPE_S)))
        self.looks, self.wanted, self._watch, self._figures = self, True, watch, figures

    def attend(self) -> bool:
        """There is nothing to attend to."""
        return True

    def fetch(self) -> Any:
        """As `Looks.fetch`."""
        from glidepath.release.looks import Fetched

        began, at, due_s, found = time.monotonic(), 0.0, math.inf, None
        with self._figures.errors():
            at = self._watch.now()
            found = self._watch.collect(at)
            due_s = self._watch.due - at
        self._figures.saw(found)
        return Fetched(found, at, began, time.monotonic() - began, due_s)  # type: ignore[arg-type]

    def see(self, *_: object) -> None:
        """It is counted already."""


def main() -> None:
    """Measure and print; arguments: the URL, how many guards, seconds."""
    url, guards, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    figures, send = Figures(), requests.Session.send

    def counted(self: requests.Session, request: Any, **how: Any) -> requests.Response:
        answer = send(self, request, **how)
        figures.sent(answer)
        return answer

    requests.Session.send = counted  # type: ignore[method-assign]
    sources = [app_source(namespace(number), service(number), [STABLE, CANARY]) for number in range(guards)]
    began: list[float] = []

    def measure() -> None:
        time.sleep(WARM_S)
        figures.on, cpu = True, time.process_time()
        time.sleep(seconds)
        figures.on = False
        began.append(time.process_time() - cpu)

    try:
        from glidepath.evidence.shared import Shared
        from glidepath.triggers.watching import Rounds
    except ImportError:
        alone(url, sources, figures, measure)
    else:
        shared = Shared(Prometheus(url, timeout_s=PATIENCE_S))
        asyncio.run(together(shared, sources, figures, measure, Rounds))
    lags = np.array(figures.lags)
    print(json.dumps({
        "queries": 60 * figures.asked / guards / seconds, "cpu": 60 * began[0] / guards / seconds,
        "bytes": 60 * figures.bytes / guards / seconds, "lag": [float(np.quantile(lags, part)) for part in (0.5, 0.9, 0.99)],
        "failed": figures.failed, "looks": 60 * len(lags) / guards / seconds, "requests": figures.counted / max(1, len(lags)),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "threads": threading.active_count(),
    }))  # fmt: skip


def alone(url: str, sources: list[Any], figures: Figures, measure: Any) -> None:
    """Each guard by itself: a client and a thread, twice a scrape."""
    over = threading.Event()

    def guard(source: Any, phase: float) -> None:
        prometheus = Prometheus(url, timeout_s=PATIENCE_S)
        watch = Collector(prometheus, source, STABLE, [STABLE, CANARY], SCRAPE_S)
        over.wait(phase)
        while not over.is_set():
            with figures.errors():
                figures.saw(watch.collect(prometheus.now()))
            over.wait(SCRAPE_S / 2)

    phases = np.random.default_rng(3).uniform(0, SCRAPE_S / 2, len(sources))
    threads = [threading.Thread(target=guard, args=one) for one in zip(sources, phases, strict=True)]
    for thread in threads:
        thread.start()
    measure()
    over.set()
    for thread in threads:
        thread.join()


async def together(shared: Any, sources: list[Any], figures: Figures, measure: Any, rounds: Any) -> None:
    """As a triggerer has them."""
    from glidepath.triggers.lanes import Lanes

    async def guard(source: Any) -> None:
        watch = SampledEvidence(shared.prometheus, shared).watch(source, STABLE, [STABLE, CANARY], SCRAPE_S)
        made = rounds(Guard(watch, figures), Lanes.to("cluster", "prometheus"), Guard.attend)
        while await made.round():
            await made.pause()

    tasks = [asyncio.ensure_future(guard(source)) for source in sources]
    await asyncio.to_thread(measure)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    main()
