"""How long releases that have ended are kept in the record, and from when on their looks are packed."""

from __future__ import annotations

import os

from glidepath.errors import PreflightError

KEEP, PACK = "GLIDEPATH_RECORD_KEEP_DAYS", "GLIDEPATH_RECORD_PACK_DAYS"
DAY_S = 86400.0
NEVER = "never"


def kept_s() -> float | None:
    """Seconds for which a release is kept after its end; None for ever.

    Raises:
        PreflightError: The setting is no number of days.
    """
    text = os.environ.get(KEEP, "").strip()
    return _days_s(KEEP, text, "unset it to keep releases for ever") if text else None


def packed_after_s() -> float | None:
    """Seconds after its end from when on a release's looks are packed, a day if nothing is said; None for never.

    Raises:
        PreflightError: The setting is no number of days.
    """
    text = os.environ.get(PACK, "").strip()
    if text == NEVER:
        return None
    return _days_s(PACK, text, f"`{NEVER}` leaves looks as they are") if text else DAY_S


def _days_s(name: str, text: str, otherwise: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 1 <= days < 1e6:
        raise PreflightError(
            f"{name}={text!r}, expected a number of days, at least 1; {otherwise}. Nothing was touched"
        )
    return days * DAY_S
