"""`python -m bench.look.measure`: one build's figures as JSON; which build is what PYTHONPATH finds first.

One thread makes the rounds of all guards, one after the other, by a clock that is set by hand: what it takes of a processor
is what looks take, whatever else the machine does. What waits for a server takes nothing.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.scale.exporter import SCRAPE_S, name_of
from bench.scale.filled import fill, release_of

# Looks before anything is measured.
WARM = 6
# A look's time after the scrape that it sees, seconds.
LATE_S = 0.5


class Clock:
    """A clock that is set by hand: `now` in epoch seconds."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


class Parts:
    """How much of a thread's processor time passes in which part, seconds; what a part calls of another is the other's."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._inside: list[str] = ["rest"]
        self._since = time.thread_time()

    def _pass(self) -> None:
        now = time.thread_time()
        self.spent[self._inside[-1]] = self.spent.get(self._inside[-1], 0.0) + now - self._since
        self._since = now

    def begin(self) -> None:
        """Count from now on."""
        self._pass()
        self.spent.clear()

    def stop(self) -> None:
        """Count no more."""
        self._pass()

    def of(self, owner: Any, method: str, part: str) -> None:
        """Count what a method takes as a part."""
        made: Callable[..., Any] = getattr(owner, method)

        @wraps(made)
        def counted(*arguments: Any, **more: Any) -> Any:
            self._pass()
            self._inside.append(part)
            try:
                return made(*arguments, **more)
            finally:
                self._pass()
                self._inside.pop()

        setattr(owner, method, counted)


class Guards:
    """The guards of a build, and the clock that they go by.

    Args:
        clock: The clock.
        count: How many.
    """

    def __init__(self, clock: Clock, count: int) -> None:
        import glidepath.triggers.places as places
        from glidepath.evidence import Prometheus
        from glidepath.evidence.shared import Shared

        Shared.__init__.__defaults__ = (clock,)
        Prometheus.now = lambda _: clock()  # type: ignore[method-assign]
        places.time = SimpleNamespace(time=clock, monotonic=clock)  # type: ignore[assignment]
        self._clock = clock
        self._made: list[tuple[Any, Any]] = []
        self.more(count)

    def more(self, count: int) -> None:
        """So many guards more."""
        self._made += [self._guard(number) for number in range(len(self._made), len(self._made) + count)]

    def _guard(self, number: int) -> tuple[Any, Any]:
        from glidepath.hooks.cluster import shared_api
        from glidepath.hooks.ports import load_run
        from glidepath.release.guard import Guard
        from glidepath.triggers.guard import AT_REST, GuardTrigger

        trigger = GuardTrigger(release_of(name_of(number)))
        turn = trigger._place.take()
        run = replace(load_run(trigger.release_id, logging.getLogger("bench"), partial(shared_api)), now=self._clock)
        assert run.ports.watch is not None
        rest = run.ports.watch(run.spec.lease * AT_REST)
        return trigger, Guard(run, turn, self._clock, replace(run, ports=rest.ports))

    def scrape(self) -> None:
        """The rounds of all guards in the time of a scrape: they attend twice, and look once."""
        self._clock.now += SCRAPE_S / 2
        for trigger, guard in self._made:
            trigger._attend(guard)
        self._clock.now += SCRAPE_S / 2
        for trigger, guard in self._made:
            trigger._attend(guard)
            if guard.wanted is not None:
                guard.see(guard.wanted, guard.fetch())


def parted() -> Parts:
    """Counts the parts of a look."""
    from glidepath.claim import LeaseClaims
    from glidepath.evidence import Collector
    from glidepath.evidence.shared import Shared
    from glidepath.judge import Judge
    from glidepath.record import Record
    from glidepath.record.turns import Turns
    from glidepath.release.guard import Guard
    from glidepath.release.looks import Looks

    parts = Parts()
    for owner, method, part in (
        (Shared, "rows", "reading Prometheus"), (Shared, "now", "reading Prometheus"),
        (Collector, "collect", "counting"), (Collector, "state", "counting"), (Judge, "look", "judging"),
        (Record, "_begin", "record"), (Record, "add_look", "record"), (Record, "add_event", "record"),
        (Record, "as_of_now", "record"), (Record, "find", "record"), (Turns, "keep", "record"),
        (LeaseClaims, "renew", "claim"), (Guard, "_drifted", "cluster at rest"), (Guard, "_asked", "cluster at rest"),
        (Looks, "store", "telling"), (Guard, "attend", "attending"), (Guard, "see", "seeing"),
    ):  # fmt: skip
        parts.of(owner, method, part)
    return parts


def told(release_ids: list[str]) -> str:
    """A digest of all that was recorded of some releases' looks: interval, look, and what the next one goes on from."""
    from glidepath.record import Record

    record, digest = Record(), hashlib.sha256()
    for release_id in release_ids:
        turn = record.turns.find(release_id, "guard")
        digest.update(json.dumps([record.looks(release_id), turn.samples if turn else None], sort_keys=True).encode())
    return digest.hexdigest()


def spent(clock: Clock, count: int, looks: int) -> dict[str, Any]:
    """Processor seconds a look, by part."""
    parts, guards = parted(), Guards(clock, count)
    for _ in range(WARM):
        guards.scrape()
    parts.begin()
    began = time.thread_time()
    for _ in range(looks):
        guards.scrape()
    whole = time.thread_time() - began
    parts.stop()
    made = looks * count
    return {"look": whole / made, "parts": {part: each / made for part, each in parts.spent.items()}}


def kept(clock: Clock, counts: list[int]) -> dict[str, Any]:
    """Bytes of Python's that each guard beyond the first count keeps, and where they are made."""
    tracemalloc.start()
    few, many = counts
    guards = Guards(clock, few)
    for _ in range(WARM):
        guards.scrape()
    before = _memory()
    guards.more(many - few)
    for _ in range(WARM):
        guards.scrape()
    after = _memory()
    each = [
        (difference.size_diff / (many - few), str(difference.traceback).replace("\n", ""))
        for difference in after.compare_to(before, "lineno")[:25]
    ]
    whole = sum(one.size_diff for one in after.compare_to(before, "filename"))
    return {"memory": whole / (many - few), "made": each}


def _memory() -> tracemalloc.Snapshot:
    gc.collect()
    return tracemalloc.take_snapshot()


def main() -> None:
    """Measure and print; the argument: a JSON object with folder, count, looks, memory, and begin in epoch seconds."""
    given = json.loads(sys.argv[1])
    logging.disable(logging.DEBUG)
    from glidepath.hooks.cluster import kubernetes_api
    from glidepath.hooks.ports import load_run
    from glidepath.record import Record

    count, record, clock = given["count"], Record(), Clock(given["begin"] + LATE_S)
    load = partial(load_run, log=logging.getLogger("bench"))
    fill(kubernetes_api("kubernetes_default"), record, Path(given["folder"]) / "played", count, load)
    found = kept(clock, [count // 2, count]) if given["memory"] else spent(clock, count, given["looks"])
    print(json.dumps({**found, "told": told([release_of(name_of(number)) for number in range(count)])}))


if __name__ == "__main__":
    main()
