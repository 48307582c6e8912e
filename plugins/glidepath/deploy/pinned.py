"""A packed chart that a policy pins by its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from glidepath.errors import SetupError


def as_pinned(chart: Path, digest: str | None) -> None:
    """Make sure that a packed chart is the one that was pinned.

    Args:
        chart: The chart's folder or packed file.
        digest: `sha256:...` of the packed chart; None where none is pinned.

    Raises:
        SetupError: It is another one, or a folder.
    """
    if digest is None:
        return
    if not chart.is_file():
        raise SetupError(f"helm.digest pins a packed chart, and {str(chart)!r} is none: helm package it")
    packed = f"sha256:{hashlib.sha256(chart.read_bytes()).hexdigest()}"
    if packed != digest:
        raise SetupError(
            f"the chart {str(chart)!r} is {packed}, the policy's helm.digest is {digest}: put the chart back that was "
            "reviewed, or review this one and pin it"
        )
