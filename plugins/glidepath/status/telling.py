"""How a release stands as lines for a terminal: what the page says, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from glidepath.status.form import Moment, Row, Status

# Of the timeline so many lines are told; all of it is in the JSON.
LATEST = 12


def clock(at: float) -> str:
    """An epoch second, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span(seconds: float) -> str:
    """A time that something takes."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def lines(status: Status) -> Iterator[str]:
    """A release: how it stands, and what happened last."""
    yield from facts(status)
    for moment in moments(status)[-LATEST:]:
        yield moment_line(moment)


def facts(status: Status) -> Iterator[str]:
    """How a release stands."""
    identity, look = status.identity, status.look
    yield f"{status.banner.state}: {status.banner.sentence}"
    yield f"release:  {identity.id}: {identity.service} in {identity.namespace}, {identity.stable} -> {identity.canary}"
    weights = ", ".join(f"{weight} %" for weight in identity.weights)
    took = span((identity.ended or status.now) - identity.started)
    yield f"step:     {identity.step} of {identity.steps} ({weights}); {'took' if identity.ended else 'since'} {took}, from {clock(identity.started)}"
    for coming in status.coming:
        at = f"{clock(coming.at)}: " if coming.at is not None and coming.at > status.now else ""
        yield f"next:     {at}{coming.what}"
    if status.actions:
        yield f"ask:      {', '.join(status.actions)}"
    for arm in status.exposure:
        seen = "..." if arm.observed is None else f"{arm.observed:.1f} %"
        yield f"exposure: {arm.role} {arm.version}: {arm.requests} requests, {arm.errors} failed; {seen} of {arm.wanted:.0f} % wanted"
    if look is not None:
        age = "the one that decided" if look.decided else f"{span(status.now - look.at)} ago"
        yield f"look:     {look.seq}, {age}: {look.verdict} {look.reason} at {look.weight} %"
    for metric in status.metrics:
        yield f"metric:   {metric.answer}: {metric.told}"


def moments(status: Status) -> Sequence[Moment]:
    """All that happened, in order."""
    return sorted([*status.timeline, *status.series.moments], key=lambda moment: moment.at)


def moment_line(moment: Moment) -> str:
    """One line of the timeline."""
    return f"{clock(moment.at)}  {moment.text}"


def row_line(row: Row) -> str:
    """One release of a list."""
    place = f"{row.step}/{row.steps}" if row.steps else ""
    return f"{clock(row.started)}  {row.state:15} {place:4} {row.service} {row.stable} -> {row.canary}  {row.id}  {row.why}"
