"""What became of a release, out of the record alone: the row that tables, logs and pages show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glidepath.judge import Look, MetricLook, Verdict
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.text import lines


@dataclass(frozen=True)
class Report:
    """One release in a row.

    Attributes:
        outcome: promoted, rolled_back, ...; None while it runs.
        verdict: That of the look that decided, else of the last one; None before the first look.
        deciding: The metric that decided, as that look had it.
        traffic_from: When the canary first had weight, epoch seconds; None when it never had.
        decided_at: When the guard gave its last word, epoch seconds.
        brake_s: Seconds until the mesh's configuration read 100/0 again; None without a brake.
    """

    id: str
    service: str
    stable: str
    version: str
    outcome: str | None
    reason: str | None
    verdict: str | None
    deciding: MetricLook | None
    canary_requests: int
    traffic_from: float | None
    decided_at: float | None
    brake_s: float | None

    @property
    def seconds(self) -> float | None:
        """From the canary's first weight to the guard's last word."""
        if self.traffic_from is None or self.decided_at is None:
            return None
        return self.decided_at - self.traffic_from


def report(record: Record, release_id: str) -> Report:
    """The report of a release.

    Raises:
        NoReleaseError: The record has no such release.
    """
    release = record.get(release_id)
    journal = Journal(record, release_id)
    weights, decided = journal.weights(), journal.words()
    # The look that decided: the guard goes on looking until the release is over.
    last = record.last_look(release_id, decided[-1].look if decided else None)
    look = Look.from_dict(last) if last else None
    brake = journal.brake()
    return Report(
        id=release.id,
        service=release.service,
        stable=release.stable,
        version=release.canary,
        outcome=release.outcome,
        reason=release.reason,
        verdict=str(look.verdict) if look else None,
        deciding=lines.deciding(look) if look else None,
        canary_requests=look.canary_requests if look else 0,
        traffic_from=weights[0].noted if weights else None,
        decided_at=decided[-1].noted if decided else None,
        brake_s=brake.seconds if brake else None,
    )


def row(report: Report) -> dict[str, Any]:
    """The report as JSON-safe values, with the deciding metric's estimate, interval and limit."""
    metric = report.deciding
    return {
        "service": report.service,
        "version": report.version,
        "outcome": report.outcome,
        "verdict": report.verdict,
        "metric": metric.name if metric else None,
        "unit": metric.unit if metric else None,
        "estimate": metric.effect if metric else None,
        "interval": [metric.low, metric.high] if metric else None,
        "limit": _limit(report, metric) if metric else None,
        "sides": metric.sides if metric else None,
        "seconds": round(report.seconds, 1) if report.seconds is not None else None,
    }


def _limit(report: Report, metric: MetricLook) -> float:
    """The limit that the verdict is about: for a pass the one of safety, else the one of harm."""
    return metric.safe_limit if report.verdict == Verdict.PASS else metric.limit
