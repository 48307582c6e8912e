"""How long releases that have ended are kept in the record."""

from __future__ import annotations

import os

from glidepath.errors import PreflightError

KEEP = "GLIDEPATH_RECORD_KEEP_DAYS"
DAY_S = 86400.0


def kept_s() -> float | None:
    """Seconds for which a release is kept after its end; None for ever.

    Raises:
        PreflightError: The setting is no number of days.
    """
    text = os.environ.get(KEEP, "").strip()
    if not text:
        return None
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 1 <= days < 1e6:
        raise PreflightError(
            f"{KEEP}={text!r}, expected a number of days, at least 1; unset it to keep releases for ever. Nothing was touched"
        )
    return days * DAY_S
