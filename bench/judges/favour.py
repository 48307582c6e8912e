"""`python -m bench.judges.favour`: the settings of the rivals' threshold rules that are best for them on these scenarios.

Best: at most 1 % of the releases within their margins taken back in an hour, and of those settings the one that is
quickest on the harmful ones, added up over them. If none keeps to 1 %, the one that errs least.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np

from bench.judges import ours, rivals
from bench.judges.past import past
from bench.judges.rivals import Threshold
from bench.judges.scenarios import HORIZON_S, SINGLE, scenarios
from bench.judges.service import draw
from bench.judges.world import SCRAPE_S

GOOD = ("same version", "p95 -10 %", "p95 +5 %")
BAD = ("errors x1.5", "errors x2", "errors x10", "p95 +15 %", "p95 +30 %")
CHECKS, FAILURES, SUCCESS, LATENCY = (
    (60.0, 120.0, 300.0),
    (1, 2, 3, 4, 5),
    (0.985, 0.99, 0.9925),
    (1.10, 1.15, 1.20, 1.25),
)


def main(runs: int) -> None:
    """Try all settings and print the best for either way of counting."""
    seen = {name: [one_seen(name, run) for run in range(runs)] for name in (*GOOD, *BAD)}
    for together, named in ((True, "flagger*"), (False, "argo*")):
        tried = []
        for check, failures, success, latency in product(CHECKS, FAILURES, SUCCESS, LATENCY):
            rule = Threshold(check, failures, success, latency, relative=True, together=together)
            ends = {name: [rivals.threshold(one, rule) for one in all_] for name, all_ in seen.items()}
            wrong = max(sum(end is not None for end in ends[name]) / runs for name in GOOD)
            times = [float(np.median([HORIZON_S if end is None else end for end in ends[name]])) for name in BAD]
            tried.append((max(0.01, wrong), sum(times), rule, times))
        wrong, _, rule, times = min(tried, key=lambda one: one[:2])
        print(f"{named}: {rule}\n  wrong {wrong:.1%}, minutes {[round(one / 60, 1) for one in times]} for {BAD}")


def one_seen(name: str, run: int) -> rivals.Seen:
    """An hour of a scenario on one step of 10 %."""
    scenario = next(one for one in scenarios()["single"] if one.name == name)
    random = np.random.default_rng([7, len(name), run])
    seen = past(scenario.service, random)
    plan = ours.planned(scenario, seen)
    scrapes = round(HORIZON_S / SCRAPE_S)
    world = scenario.service.world(random, scrapes)
    weight = SINGLE[0].weight
    drawn = draw(
        scenario.service, world, random, slice(0, scrapes), weight, np.arange(scrapes, dtype=np.float64) * SCRAPE_S
    )
    edges = np.array(scenario.service.edges)
    return rivals.Seen(drawn, edges, rivals.own_quantiles(plan, seen.seen.latency, edges), plan)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
