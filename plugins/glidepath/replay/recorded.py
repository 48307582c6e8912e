"""A recorded release as evidence."""

from __future__ import annotations

from glidepath.errors import EvidenceError
from glidepath.judge import Interval, Look, Plan
from glidepath.record import Record
from glidepath.replay.evidence import FORMAT, VERSION, Header, Recorded, Recording, Silence


def export(record: Record, release_id: str) -> Recording:
    """The evidence that a release was judged by.

    Args:
        record: The record database.
        release_id: The release's identity.

    Raises:
        RecordError: The record has no such release.
        EvidenceError: It was never judged: it has no plan.
    """
    release = record.get(release_id)
    if release.plan is None:
        raise EvidenceError(f"release {release_id!r} has no plan ({release.phase}): there was nothing to judge")
    header = Header(
        format=FORMAT,
        format_version=VERSION,
        code_version=release.code_version,
        release=release.id,
        service=release.service,
        namespace=release.namespace,
        stable=release.stable,
        canary=release.canary,
        created=release.created,
        spec=release.spec,
        plan=Plan.from_dict(release.plan),
        outcome=release.outcome,
        reason=release.reason,
    )
    lines: list[Recorded | Silence] = []
    for _, interval, look in record.looks(release_id):
        if interval is None:
            lines.append(Silence(look["at"], look["reason"]))
        else:
            lines.append(Recorded.of(Interval.from_dict(interval), Look.from_dict(look)))
    return Recording(release_id, header, tuple(lines))
