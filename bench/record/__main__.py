"""`python -m bench.record`: bytes of a look and the time of a release's page, as rows and packed, as ratios of one run.

One release of a thousand looks by the judge itself, five pods, two metrics, an interval every 5 s; SQLite.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np

from glidepath.gate import settings_of
from glidepath.judge import ArmCounts, Interval, Judge, plan_judgement
from glidepath.record import Record, Release, packing
from glidepath.replay import export
from glidepath.status import listed, status
from tests.unit.judge.traffic import EDGES, arm
from tests.unit.replay.world import spec

NAME, SCRAPE_S, REPEATS = "bench/one", 5.0, 15
STABLE = tuple(f"model-service-v1-7d9f8c{number}b5d-x{number}k2p" for number in range(4))
CANARY = ("model-service-v2-66c7bd9cf4-2x8qk",)
BODIES = (
    "SELECT sum(length(interval) + length(look)) FROM glidepath_look",
    "SELECT sum(length(intervals) + length(looks)) FROM glidepath_look_page",
)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--looks", type=int, default=1000)
    count = asked.parse_args().looks
    with tempfile.TemporaryDirectory() as folder:
        record = filled(f"sqlite:///{folder}/record.db", count)
        rows, rows_ms, evidence = taken(record), timed(record), export(record, NAME)
        started = time.process_time()
        packed = 0
        while some := packing.pack(record, NAME):
            packed += some
        took = time.process_time() - started
        pages, pages_ms = taken(record), timed(record)
        assert export(record, NAME) == evidence
    print(f"a look: {rows / count:.0f} bytes as a row, {pages / count:.0f} packed: {rows / pages:.1f} times fewer")
    print(f"packing: {1e3 * took / max(packed, 1):.2f} ms of CPU a look")
    for what, before in rows_ms.items():
        print(f"{what}: {before:.1f} ms before, {pages_ms[what]:.1f} after: {pages_ms[what] / before:.2f} times")


def filled(url: str, count: int) -> Record:
    """A record with one release that has ended."""
    random, record = np.random.default_rng(3), Record(url)
    plan = plan_judgement(settings_of(spec()), arm(random, 60_000), 600, EDGES, 100.0)
    judge = Judge(plan)
    record.open_release(
        Release(NAME, "model-service", "sms-app", "v1", "v2", spec().to_dict(), plan.to_dict(), 1, "baking", None, None, "0", 990.0, None)
    )  # fmt: skip
    for seq in range(1, count + 1):
        start = 1000 + SCRAPE_S * seq
        interval = Interval(start, start + SCRAPE_S, 20, pods(random, 400, STABLE), pods(random, 100, CANARY), 1)
        record.add_look(NAME, seq, start + SCRAPE_S, interval.to_dict(), judge.look(interval).to_dict())
    record.close(NAME, "rolled_back", "time is up", 1000 + SCRAPE_S * (count + 1))
    return record


def pods(random: np.random.Generator, mean: float, names: tuple[str, ...]) -> ArmCounts:
    """One version's counts, and those of its pods."""
    whole, share = arm(random, mean), [1 / len(names)] * len(names)
    each = zip(random.multinomial(whole.requests, share), random.multinomial(whole.errors, share), strict=True)
    return replace(whole, by_pod={name: (int(all_), int(bad)) for name, (all_, bad) in zip(names, each, strict=True)})


def taken(record: Record) -> int:
    """Bytes of all looks and pages, without what the database adds."""
    with closing(sqlite3.connect(record.url.removeprefix("sqlite:///"))) as database:
        return sum(database.execute(query).fetchone()[0] or 0 for query in BODIES)


def timed(record: Record) -> dict[str, float]:
    """Median milliseconds of what opens a release."""
    works: dict[str, Callable[[], object]] = {
        "a release's page": lambda: status(record, NAME, 9e3),
        "its row in the list": lambda: listed(record),
        "its evidence": lambda: export(record, NAME),
    }
    found: dict[str, list[float]] = {what: [] for what in works}
    for _ in range(REPEATS):
        for what, work in works.items():
            started = time.process_time()
            work()
            found[what].append(1e3 * (time.process_time() - started))
    return {what: statistics.median(times) for what, times in found.items()}


if __name__ == "__main__":
    main()
