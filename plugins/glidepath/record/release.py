"""A row of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Release:
    """One release as the record knows it. `outcome` is None while it runs."""

    id: str
    service: str
    namespace: str
    stable: str
    canary: str
    spec: Mapping[str, Any]
    plan: Mapping[str, Any] | None
    token: int | None
    phase: str
    outcome: str | None
    reason: str | None
    code_version: str
    created: float
    closed: float | None
