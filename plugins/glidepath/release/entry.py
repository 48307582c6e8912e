"""An entry of a release's journal, and how it stands in the record.

The record of an older Glidepath may lack a field, and that of a newer one may have more: what was added later has a default,
and what is not known is not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from glidepath.record import Event


@dataclass(frozen=True)
class Entry:
    """Something that happened in a release.

    Attributes:
        kind: What it is called in the record.
        name: Under which it can be written once, with its fields in braces; empty for what can happen again.
        noted: When it was written down, epoch seconds; 0 for what is not written yet.
    """

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    noted: float = field(default=0.0, kw_only=True, compare=False)

    @property
    def once(self) -> str | None:
        """The name under which it can be written once a release; None for what can happen again."""
        return self.name.format_map(vars(self)) or None

    def body(self) -> dict[str, Any]:
        """Its fields, for the record."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "noted"}

    @classmethod
    def of(cls, event: Event) -> Self:
        """Out of the record."""
        known = {field.name for field in fields(cls)} - {"noted"}
        return cls(**{name: value for name, value in event.body.items() if name in known}, noted=event.at)
