"""`python -m bench.scale.measure`: guards of one build in one process, as a triggerer runs them; their cost as JSON.

Which build is what PYTHONPATH finds first. Memory is measured once one guard has settled, and again when all have.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import requests

from bench.scale.exporter import name_of
from bench.scale.filled import fill, release_of
from glidepath.record import Record

# Until one guard has all that a process loads once, and until all have begun, seconds.
FIRST_S, SETTLE_S, SETTLE_EACH_S = 15.0, 20.0, 0.2


class Lags:
    """How old the newest sample of each look was when the look was in the record, seconds."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self.blind = 0
        written = Record.add_look

        def add_look(record: Record, release: str, seq: int, at: float, interval: Any, *more: Any) -> None:
            written(record, release, seq, at, interval, *more)
            if interval is None:
                self.blind += 1
            else:
                self.seen.append(time.time() - interval["end"])

        Record.add_look = add_look  # type: ignore[method-assign]


def main() -> None:
    """Measure and print; the argument: a JSON object with folder, audit, prometheus, count, seconds."""
    given = json.loads(sys.argv[1])
    logging.basicConfig(filename=given["log"], level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    from glidepath.hooks.cluster import kubernetes_api
    from glidepath.hooks.ports import load_run

    record = Record()
    began = time.monotonic()
    fill(
        kubernetes_api("kubernetes_default"), record, Path(given["folder"]) / "played", given["count"], _load(load_run)
    )
    print(f"{given['count']} services filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(json.dumps(asyncio.run(_measured(given, Lags()))))


def _load(load_run: Any) -> Any:
    log = logging.getLogger("bench")
    return lambda identity: load_run(identity, log)


async def _measured(given: dict[str, Any], lags: Lags) -> dict[str, Any]:
    count, seconds = given["count"], given["seconds"]
    tasks = [_begun(0)]
    await asyncio.sleep(FIRST_S)
    first = memory()
    tasks += [_begun(number) for number in range(1, count)]
    await asyncio.sleep(SETTLE_S + SETTLE_EACH_S * count)
    before = await asyncio.to_thread(_asked, given)
    lags.seen.clear()
    lags.blind, cpu, wall = 0, time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    after = await asyncio.to_thread(_asked, given)
    ended = [task for task in tasks if task.done()]
    looks = sorted(lags.seen)
    return {
        "cpu": cpu / count / wall,
        "cpu_a_look": cpu / max(1, len(looks)),
        "memory": (memory() - first) / max(1, count - 1),
        "kubernetes": 60 * (after[0] - before[0]) / count / wall,
        "prometheus": 60 * (after[1] - before[1]) / count / wall,
        "looks": 60 * len(looks) / count / wall,
        "lag": looks[min(len(looks) - 1, int(0.99 * len(looks)))] if looks else None,
        "blind": lags.blind,
        "ended": len(ended),
    }


def _begun(number: int) -> asyncio.Task[Any]:
    from glidepath.triggers.guard import GuardTrigger

    trigger = GuardTrigger(release_of(name_of(number)))

    async def drained() -> None:
        async for _ in trigger.run():
            pass

    return asyncio.ensure_future(drained())


def memory() -> int:
    """What this process has in memory, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _asked(given: dict[str, Any]) -> tuple[int, float]:
    """How many requests the guards have made so far: of the API server, and queries of Prometheus."""
    with open(given["audit"], "rb") as file:
        cluster = sum(1 for _ in file)
    told = requests.get(f"{given['prometheus']}/metrics", timeout=10).text.splitlines()
    queries = (line for line in told if line.startswith("prometheus_http_requests_total") and "/api/v1/query" in line)
    return cluster, sum(float(line.split()[-1]) for line in queries)


if __name__ == "__main__":
    main()
