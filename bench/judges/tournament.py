"""Plays every scenario many times, over the cores, and sums up."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from bench.judges import ours, rivals
from bench.judges.bound import bound
from bench.judges.ours import Ending
from bench.judges.past import past
from bench.judges.scenarios import EDGE, HARMFUL, HORIZON_S, WITHIN, Scenario, scenarios
from bench.judges.service import Scrapes, Traffic, draw
from bench.judges.world import SCRAPE_S

Results = dict[str, list[Ending | None]]
BATCH = 5


@dataclass(frozen=True)
class Job:
    """Some runs of one scenario; seeds follow from the numbers, so results don't depend on how work is spread."""

    table: str
    number: int
    runs: tuple[int, ...]
    seed: int


@dataclass(frozen=True)
class Row:
    """One judge in one scenario.

    Attributes:
        runs: How many there were.
        promoted, rolled_back: Shares of them.
        median_s, q90_s: When its decisions fell: of the word it mostly gave; None without any.
        failed, requests: Medians of what the canary's users had by then.
    """

    runs: int
    promoted: float
    rolled_back: float
    median_s: float | None
    q90_s: float | None
    failed: float
    requests: float


@dataclass(frozen=True)
class Case:
    """One scenario's rows, by judge."""

    table: str
    name: str
    truth: str
    rows: dict[str, Row]

    def wrong(self, judge: str) -> float | None:
        """Share of a judge's wrong words; None where none is wrong."""
        row = self.rows[judge]
        back = row.rolled_back if self.truth in (WITHIN, EDGE) else 0.0
        promoted = row.promoted if self.truth in (HARMFUL, EDGE) else 0.0
        return back + promoted if self.truth in (WITHIN, HARMFUL, EDGE) else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Case:
        """Back from `to_dict`."""
        return cls(**{**values, "rows": {judge: Row(**row) for judge, row in values["rows"].items()}})


def play(job: Job) -> tuple[Job, Results]:
    """Play one job."""
    scenario = scenarios()[job.table][job.number]
    results: Results = {}
    for run in job.runs:
        random = np.random.default_rng([job.seed, _mark(job.table), job.number, run])
        for judge, played in _one(scenario, random, job.table == "single").items():
            results.setdefault(judge, []).append(played)
    return job, results


def _one(scenario: Scenario, random: np.random.Generator, rivals_too: bool) -> dict[str, Ending | None]:
    known = past(scenario.service, random)
    plan = ours.planned(scenario, known)
    scenario = ours.on_margin(scenario, plan)
    service = scenario.service
    scrapes = round((HORIZON_S + service.fault.from_s) / SCRAPE_S)
    if not rivals_too:
        return {
            "ours": ours.release(scenario, plan, Traffic(service, random, scrapes)),
            "bound": bound(scenario, plan, Traffic(service, random, scrapes)),
        }
    weight = scenario.steps[0].weight
    world = service.world(random, scrapes)
    drawn = draw(service, world, random, slice(0, scrapes), weight, np.arange(scrapes, dtype=np.float64) * SCRAPE_S)
    edges = np.array(service.edges)
    seen = rivals.Seen(drawn, edges, rivals.own_quantiles(plan, known.seen.latency, edges), plan)
    told = rivals.told(seen, random, weight)
    return {
        "ours": ours.release(scenario, plan, Traffic(service, random, scrapes, drawn)),
        **{judge: _ended(at, drawn, service.fault.from_s) for judge, at in told.items()},
        "bound": bound(scenario, plan, Traffic(service, random, scrapes, drawn)),
    }


def _ended(at: float | None, drawn: Scrapes, onset_s: float) -> Ending:
    """What the canary's users had until a rival took it back; a rival that finds nothing promotes when the time is over."""
    until = round(at / SCRAPE_S) if at is not None else len(drawn.lost)
    onset = round(onset_s / SCRAPE_S)
    failed, requests = int(drawn.failed[onset:until, 1].sum()), int(drawn.requests[:until, 1].sum())
    return Ending("rollback" if at is not None else "promote", until * SCRAPE_S - onset_s, failed, requests)


def tournament(runs: int, jobs: int, seed: int, only: str = "", whole: bool = False) -> list[Case]:
    """Play all scenarios whose table and name contain `only`.

    Args:
        runs: Releases a scenario.
        jobs: Processes.
        seed: The same seed gives the same releases.
        only: Part of `table: name`.
        whole: As many for each scenario, though there be little to see.
    """
    asked = [
        (table, number, one)
        for table, all_ in scenarios().items()
        for number, one in enumerate(all_)
        if only in f"{table}: {one.name}"
    ]
    work = [
        Job(table, number, tuple(range(first, min(first + BATCH, count))), seed)
        for table, number, one in asked
        for count in [runs if whole else max(1, round(runs * one.part))]
        for first in range(0, count, BATCH)
    ]
    work.sort(key=lambda job: job.runs[0])
    played: dict[tuple[str, int], dict[int, Results]] = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for job, results in _progress(
            (one.result() for one in as_completed([pool.submit(play, one) for one in work])), len(work)
        ):
            played.setdefault((job.table, job.number), {})[job.runs[0]] = results
    return [_summed(table, one, played[table, number]) for table, number, one in asked]


def _progress(done: Iterable[tuple[Job, Results]], total: int) -> Iterator[tuple[Job, Results]]:
    started, shown = time.monotonic(), 0.0
    for count, one in enumerate(done, 1):
        now = time.monotonic()
        if now - shown > 1 or count == total:
            shown = now
            left = (now - started) / count * (total - count)
            print(
                f"\r{count} of {total} batches, {now - started:.0f} s, {left:.0f} s left  ",
                end="",
                file=sys.stderr,
                flush=True,
            )
        yield one
    print(file=sys.stderr)


def _summed(table: str, scenario: Scenario, batches: dict[int, Results]) -> Case:
    results: Results = {}
    for first in sorted(batches):
        for judge, played in batches[first].items():
            results.setdefault(judge, []).extend(played)
    rows = {judge: row for judge, played in results.items() if (row := _row(played)) is not None}
    return Case(table, scenario.name, scenario.truth, rows)


def _row(played: list[Ending | None]) -> Row | None:
    known = [one for one in played if one is not None]
    if not known:
        return None
    back, promoted = ([one for one in known if one.word == word] for word in ("rollback", "promote"))
    mostly = [one.seconds for one in max(back, promoted, key=len)]
    return Row(
        runs=len(known),
        promoted=len(promoted) / len(known),
        rolled_back=len(back) / len(known),
        median_s=float(np.median(mostly)) if mostly else None,
        q90_s=float(np.quantile(mostly, 0.9)) if mostly else None,
        failed=float(np.median([one.failed for one in known])),
        requests=float(np.median([one.requests for one in known])),
    )


def _mark(table: str) -> int:
    return list(scenarios()).index(table)
