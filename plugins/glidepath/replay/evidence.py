"""Evidence as JSON Lines: a header, then one line an interval, or a time of silence, in the order they were judged."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TextIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from glidepath.errors import EvidenceError
from glidepath.judge import Interval, Look, Plan, Verdict

FORMAT: Literal["glidepath-evidence"] = "glidepath-evidence"
VERSION: Literal[1] = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Header:
    """The first line: what the release was, and what was frozen for it.

    Attributes:
        format, format_version: What this file is.
        code_version: Of the code that recorded it.
        release: The release's identity.
        stable, canary: The two versions.
        created: When it was planned, epoch seconds.
        spec: The policy with the run's parameters, as they were.
        plan: Margins, edges, baseline: all that the judge needs.
        outcome: How the release ended; None while it ran, or when nobody knows. `reason`: in words.
    """

    format: Literal["glidepath-evidence"]
    format_version: Literal[1]
    code_version: str
    release: str
    service: str
    namespace: str
    stable: str
    canary: str
    created: float
    spec: Mapping[str, Any]
    plan: Plan
    outcome: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Silence:
    """A look without usable evidence, at an epoch second; `no_data` says what was missing."""

    at: float
    no_data: str


@dataclass(frozen=True)
class Recorded(Interval):
    """An interval as the file has it: with what the look at it said, if that is known."""

    verdict: Verdict | None = None
    reason: str | None = None

    @classmethod
    def of(cls, interval: Interval, look: Look | None = None) -> Recorded:
        """An interval with its look."""
        words = (look.verdict, look.reason) if look is not None else (None, None)
        return cls(
            interval.start, interval.end, interval.weight, interval.stable, interval.canary, interval.step, *words
        )


@dataclass(frozen=True)
class Recording:
    """A file's content. `name` stands for it in messages."""

    name: str
    header: Header
    lines: tuple[Recorded | Silence, ...]


HEADER, INTERVAL, SILENCE = TypeAdapter(Header), TypeAdapter(Recorded), TypeAdapter(Silence)


def read_evidence(path: Path) -> Recording:
    """The evidence in a file.

    Raises:
        EvidenceError: It can't be read or is not valid; names file and line, what was given and expected.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return parse_evidence(file, str(path))
    except OSError as error:
        raise EvidenceError(f"{path}: can't be read: {error.strerror}; expected a file of evidence") from error
    except UnicodeDecodeError as error:
        raise EvidenceError(f"{path}:1: not UTF-8 text: {error.reason}; expected JSON Lines") from error


def parse_evidence(rows: Iterable[str], name: str) -> Recording:
    """As `read_evidence`, from lines of text."""
    numbered = ((number, row) for number, row in enumerate(rows, 1) if row.strip())
    number, first = next(numbered, (1, ""))
    header = _header(first, f"{name}:{number}")
    lines: list[Recorded | Silence] = []
    for number, row in numbered:
        line = _line(row, f"{name}:{number}")
        _check(line, lines[-1] if lines else None, header.plan, f"{name}:{number}")
        lines.append(line)
    return Recording(name, header, tuple(lines))


def write_evidence(evidence: Recording, file: TextIO) -> None:
    """Write evidence, a line an interval."""
    for row in rows(evidence):
        file.write(row + "\n")


def rows(evidence: Recording) -> Iterator[str]:
    """The lines of a file, each a JSON object."""
    yield _dumped(asdict(evidence.header))
    for line in evidence.lines:
        values = asdict(line)
        if isinstance(line, Recorded) and line.verdict is None:
            del values["verdict"], values["reason"]
        yield _dumped(values)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of one line."""
    schema: dict[str, Any] = TypeAdapter(Header | Recorded | Silence).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of Glidepath's recorded evidence",
        "description": "The first line is a Header; each other one an interval (Recorded) or a Silence.",
        **schema,
    }


def _header(row: str, where: str) -> Header:
    try:
        fields = json.loads(row)
    except ValueError as error:
        raise EvidenceError(f"{where}: not JSON: {error}; expected a header line") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise EvidenceError(f'{where}: no header: expected an object with "format": "{FORMAT}"')
    if fields.get("format_version") != VERSION:
        raise EvidenceError(
            f"{where}: format_version {fields.get('format_version')!r}, this code reads {VERSION}; "
            "use the code version that wrote it, or export it again"
        )
    header = _valid(HEADER, row, where)
    # The judge's own reading: what is equal to the live release's plan to the bit.
    return replace(header, plan=Plan.from_dict(fields["plan"]))


def _line(row: str, where: str) -> Recorded | Silence:
    if '"no_data"' in row and '"start"' not in row:
        return _valid(SILENCE, row, where)
    return _valid(INTERVAL, row, where)


def _valid(form: TypeAdapter[T], row: str, where: str) -> T:
    try:
        return form.validate_json(row, strict=True)
    except ValidationError as error:
        faults = "; ".join(_told(fault) for fault in error.errors(include_url=False))
        raise EvidenceError(f"{where}: {faults}") from error


def _told(fault: Mapping[str, Any]) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    value = fault["input"]
    shown = "" if isinstance(value, (dict, list)) or fault["type"] == "json_invalid" else f"given {value!r}: "
    return f"{place}{': ' if place else ''}{shown}{fault['msg'].removeprefix('Value error, ')}"


def _check(line: Recorded | Silence, before: Recorded | Silence | None, plan: Plan, where: str) -> None:
    """What a form can't say.

    Raises:
        EvidenceError: Times don't ascend, or the buckets are not the plan's.
    """
    if isinstance(line, Silence):
        if not math.isfinite(line.at):
            raise EvidenceError(f"{where}: at {line.at}, expected epoch seconds")
        return
    if not (math.isfinite(line.start) and math.isfinite(line.end) and line.start <= line.end):
        raise EvidenceError(f"{where}: from {line.start} to {line.end}, expected epoch seconds, start before end")
    if not 0 <= line.weight <= 100:
        raise EvidenceError(f"{where}: weight {line.weight}, expected 0 to 100 percent")
    if isinstance(before, Recorded) and line.start < before.end:
        raise EvidenceError(f"{where}: starts at {line.start}, before the interval above it ended ({before.end})")
    least = (before.step if isinstance(before, Recorded) else None) or 1
    if line.step is not None and line.step < least:
        raise EvidenceError(
            f"{where}: step {line.step}, expected at least {least}: steps are numbered from 1, in order"
        )
    wanted = len(plan.edges) + 1
    for arm, counts in (("stable", line.stable), ("canary", line.canary)):
        if len(counts.latency) != wanted:
            raise EvidenceError(
                f"{where}: {arm}.latency: {len(counts.latency)} buckets, expected {wanted}: one more than the plan's edges"
            )


def _dumped(values: Any) -> str:
    return json.dumps(values, allow_nan=False, separators=(",", ":"))
