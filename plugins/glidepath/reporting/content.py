"""A release's report, out of its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from glidepath.judge import Look, Plan
from glidepath.policy import Policy
from glidepath.record import Record
from glidepath.replay.evidence import Recording, rows
from glidepath.replay.recorded import export
from glidepath.reporting.declared import declared
from glidepath.reporting.form import Document, Section, Table
from glidepath.reporting.others import others
from glidepath.reporting.seen import seen
from glidepath.status import Status, status
from glidepath.status.telling import clock, span


def document(record: Record, release_id: str, now: float, policies: Mapping[str, Policy] | None = None) -> Document:
    """The report of a release, over or under way.

    Args:
        record: The record.
        release_id: The release's identity.
        now: Epoch seconds.
        policies: Which other policies are asked about, by what they are called.

    Raises:
        NoReleaseError: The record has no such release.
        RecordError: The record can't be read.
    """
    release, stands = record.get(release_id), status(record, release_id, now)
    looks = [(seq, Look.from_dict(look)) for seq, _, look in record.looks(release_id)]
    identity, sha256, sections = stands.identity, "", [_which(stands)]
    if release.plan is not None:
        evidence = export(record, release_id)
        sha256 = digest(evidence)
        sections += declared(stands, Plan.from_dict(release.plan))
        sections += seen(stands, looks)
        sections += [_decision(stands)]
        if looks:
            sections += [others(evidence, policies or {})]
    else:
        sections += [_decision(stands)]
    sections += [_record(stands, sha256)]
    title = f"{identity.service}: {identity.stable} -> {identity.canary}"
    return Document(
        title, str(stands.banner.state), stands.banner.tone, stands.banner.sentence, tuple(sections), sha256
    )


def digest(evidence: Recording) -> str:
    """SHA-256 of evidence as `glidepath export` writes it: who has the file can tell that the report is about it."""
    hashed = hashlib.sha256()
    for row in rows(evidence):
        hashed.update(f"{row}\n".encode())
    return hashed.hexdigest()


def _which(stands: Status) -> Section:
    identity = stands.identity
    rows = [
        ["release", identity.id],
        ["service", f"{identity.service} in {identity.namespace}"],
        ["versions", f"{identity.stable} (stable) -> {identity.canary} (new)"],
        ["began", clock(identity.started)],
        [
            "ended",
            f"{clock(identity.ended)}, after {span(identity.ended - identity.started)}"
            if identity.ended
            else "not yet",
        ],
        ["Glidepath", identity.code_version],
    ]
    return Section("Release", [], [Table(("", ""), rows)])


def _decision(stands: Status) -> Section:
    moments = sorted([*stands.timeline, *stands.series.moments], key=lambda moment: moment.at)
    rows = [[clock(moment.at), moment.text] for moment in moments]
    return Section("Decision", [stands.banner.sentence], [Table(["when", "what happened"], rows)])


def _record(stands: Status, sha256: str) -> Section:
    text = list(_told(stands, sha256))
    policy = json.dumps(stands.identity.policy, indent=1, ensure_ascii=False, default=str)
    return Section("Record", text, [Table(["policy, as it was planned by"], [[policy]])])


def _told(stands: Status, sha256: str) -> Iterator[str]:
    if not sha256:
        yield "Nothing was planned to be judged: there is no recorded evidence."
        return
    yield f"SHA-256 of the recorded evidence: {sha256}"
    yield (
        f"`glidepath export '{stands.identity.id}' | sha256sum` gives the same; `glidepath replay` judges it again. While a release "
        "is under way its evidence grows, and so its hash changes."
    )
