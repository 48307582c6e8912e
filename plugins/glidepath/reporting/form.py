"""What a report is made of, whatever it is written as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from glidepath.status.form import Tone


@dataclass(frozen=True)
class Table:
    """A table: its head, and its rows of plain text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        title: What it shows; also what is read aloud.
        svg: The drawing, coloured by classes.
        legend: What its lines are, in words.
        table: Some of its points, where nothing can be drawn.
    """

    title: str
    svg: str
    legend: str
    table: Table


@dataclass(frozen=True)
class Section:
    """A part of a report: text first, then tables, then drawings."""

    title: str
    text: Sequence[str] = ()
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: Which release.
        state, tone, sentence: The verdict.
        sections: In order.
        sha256: Of the recorded evidence, as `glidepath export` writes it.
    """

    title: str
    state: str
    tone: Tone
    sentence: str
    sections: Sequence[Section] = field(default_factory=tuple)
    sha256: str = ""
