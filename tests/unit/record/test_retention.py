"""How long releases that have ended stay in the record."""

from __future__ import annotations

import pytest

from glidepath.errors import PreflightError
from glidepath.record.retention import DAY_S, KEEP, kept_s


@pytest.mark.parametrize(("text", "seconds"), [("", None), (" ", None), ("30", 30 * DAY_S), ("1.5", 1.5 * DAY_S)])
def test_it_is_a_number_of_days_or_for_ever(text: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEEP, text)
    assert kept_s() == seconds


@pytest.mark.parametrize("text", ["0", "-1", "0.5", "a year", "nan", "inf", "1e9"])
def test_anything_else_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEEP, text)
    with pytest.raises(PreflightError, match="expected a number of days, at least 1"):
        kept_s()
