"""What was seen: exposure, weights, and the evidence over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glidepath.judge import Look, MetricLook
from glidepath.reporting.charts import Drawing, Line, svg
from glidepath.reporting.form import Chart, Section, Table
from glidepath.status.form import Status
from glidepath.status.reads import SUSPECTED
from glidepath.status.series import thinned
from glidepath.text import lines
from glidepath.text.numbers import number

# Points of a drawing that a table says.
TOLD = 8
LEGEND = (
    "effect (line) within its interval (band); limit of harm (dashed), of comparable (dotted); new weights (upright)"
)
EVIDENCE = (
    "evidence of harm (red), of being comparable (green), on a logarithmic scale; what each needs (dashed, dotted)"
)


def seen(status: Status, looks: Sequence[tuple[int, Look]]) -> Iterator[Section]:
    """What was seen.

    Args:
        status: The release.
        looks: All of its looks, in order.
    """
    arms = [
        [arm.version, arm.role, f"{arm.requests:,}", f"{arm.errors:,}", _share(arm.wanted), _share(arm.observed)]
        for arm in status.exposure
    ]
    head = ["version", "role", "requests", "failed", "wanted at the last weight", "observed"]
    if not looks:
        yield Section("Exposure", ["No look was made: the new version had no requests that were judged."])
        return
    start = min([looks[0][1].at, *(given.at for given in status.weights)])
    kept = [look for _, look in thinned(looks)]
    marks = [given.at - start for given in status.weights if given.at > start][:20]
    yield Section("Exposure", [], [Table(head, arms)], [_weight(status, start, kept[-1].at)])
    for name in dict.fromkeys(metric.name for look in kept for metric in look.metrics):
        points = [(look.at - start, _metric(look, name)) for look in kept]
        known = [(at, metric) for at, metric in points if metric is not None]
        yield Section(f"Evidence: {name}", _told(status, looks, name), [], list(_charts(name, known, marks)))


def _told(status: Status, looks: Sequence[tuple[int, Look]], name: str) -> list[str]:
    """A metric as it stood when it was decided, or stands now; and whether it was looked at after that."""
    known = [(seq, metric) for seq, look in looks if (metric := _metric(look, name)) is not None]
    decided = status.look.seq if status.look is not None and status.look.decided else known[-1][0]
    until = [metric for seq, metric in known if seq <= decided]
    told = [lines.metric_line(until[-1] if until else known[-1][1])]
    if until and (later := len(known) - len(until)):
        told.append(
            f"That is when it was decided. {later} further looks, until the release had ended, are drawn as well."
        )
    return told


def _metric(look: Look, name: str) -> MetricLook | None:
    return next((metric for metric in look.metrics if metric.name == name), None)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _weight(status: Status, start: float, end: float) -> Chart:
    points: list[tuple[float, float | None]] = []
    for given in status.weights:
        at = given.at - start
        if points:
            points.append((at, points[-1][1]))
        points.append((at, float(given.weight)))
    if points:
        points.append((max(end - start, points[-1][0]), points[-1][1]))
    title = "Weight of the new version over time"
    rows = [[f"{given.at - start:.0f} s", f"{given.weight} %"] for given in status.weights]
    return Chart(title, svg(Drawing(title, [Line(points)], unit="percent")), "", Table(["after", "weight"], rows))


def _charts(name: str, points: Sequence[tuple[float, MetricLook]], marks: Sequence[float]) -> Iterator[Chart]:
    last = points[-1][1]
    title = f"{name}: effect over time"
    effect = Drawing(
        title,
        [Line([(at, metric.effect) for at, metric in points])],
        [(at, metric.low, metric.high) for at, metric in points],
        [(value, style) for limit, style in _limits(last) for value in _sides(limit, last)],
        marks,
        unit=last.unit,
    )  # fmt: skip
    rows = [[f"{at:.0f} s", *_numbers(metric)] for at, metric in _some(points)]
    if not last.judged:
        yield Chart(title, svg(effect), "", Table(["after", "effect"], [row[:2] for row in rows]))
        return
    yield Chart(title, svg(effect), LEGEND, Table(["after", "effect", "low", "high", "harm", "comparable"], rows))
    title = f"{name}: evidence over time"
    evidence = Drawing(
        title,
        [Line([(at, metric.harm_e) for at, metric in points], "harm-line"),
         Line([(at, metric.safety_e) for at, metric in points], "safe-line")],
        (),
        [(last.harm_threshold, "harm"), (last.safety_threshold, "safe"), (SUSPECTED, "mark")],
        marks,
        log=True,
    )  # fmt: skip
    yield Chart(title, svg(evidence), EVIDENCE, Table((), ()))


def _limits(metric: MetricLook) -> list[tuple[float, str]]:
    return [(metric.limit, "harm"), (metric.safe_limit, "safe")] if metric.judged else []


def _sides(limit: float, metric: MetricLook) -> list[float]:
    """Where a limit lies: on its side, or on both."""
    if metric.sides == "above":
        return [limit]
    return [-limit] if metric.sides == "below" else [-limit, limit]


def _numbers(metric: MetricLook) -> list[str]:
    numbers = [number(value, metric.unit) for value in (metric.effect, metric.low, metric.high)]
    return [
        *numbers,
        f"{metric.harm_e:.3g} of {metric.harm_threshold:.0f}",
        f"{metric.safety_e:.3g} of {metric.safety_threshold:.0f}",
    ]


def _some(points: Sequence[tuple[float, MetricLook]]) -> Sequence[tuple[float, MetricLook]]:
    every = max(1, -(-len(points) // TOLD))
    kept = list(points[::every])
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]
