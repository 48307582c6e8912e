"""What a tolerance stands for on buckets that nobody configured: the only thing about a quantile that is interpolated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq  # type: ignore[import-untyped]

from bench.judges.world import STOCK, STOCK_SHAPES, Shape
from glidepath.judge import ArmCounts, MetricSettings
from glidepath.judge.metrics import kind_of
from glidepath.judge.plan import MetricPlan

TOLERANCE = 1.10
# So many requests that chance tells nothing.
REQUESTS = 10**8


def planned(shape: Shape, edges: tuple[float, ...], tolerance: float = TOLERANCE) -> MetricPlan:
    """The plan of a p95 for a version whose past is known exactly."""
    buckets = np.round(REQUESTS * shape.buckets(np.array(edges), np.ones(1))[0]).astype(int)
    past = ArmCounts(int(buckets.sum()), 0, tuple(buckets.tolist()))
    asked = MetricSettings("latency_p95", "latency", "critical", tolerance, quantile=0.95)
    return kind_of(asked).planned(asked, past, edges)


def stands_for(shape: Shape, edges: tuple[float, ...], part: MetricPlan) -> float:
    """How much slower a version is that lies exactly on the null of an edge."""
    edge, row = np.array([edges[part.edge]]), part.questions[part.harm]

    def off(slower: float) -> float:
        return float(1.0 - shape.below(edge, np.array([slower]))[0, 0]) - row.slope * part.base - row.margin

    return float(brentq(off, 1.0, 10.0))


def table() -> Iterator[str]:
    """As Markdown."""
    yield "| buckets | latencies | asked at | x1.10 stands for there | the edges alone prove |"
    yield "| --- | --- | --- | --- | --- |"
    for layout, edges in STOCK.items():
        for name, shape in STOCK_SHAPES.items():
            plan = planned(shape, edges)
            asked = [one for one in plan.parts if one.safety >= 0]
            places = ", ".join(f"{1000 * edges[one.edge]:g} ms" for one in asked)
            found = ", ".join(f"x{stands_for(shape, edges, one):.3f}" for one in asked)
            least, most = plan.bracket or (TOLERANCE, TOLERANCE)
            proven = f"x{least:.3g} to x{most:.3g}" if most else f"x{least:.3g} or more"
            yield f"| {layout} | {name} | {places} | {found} | {proven} |"
