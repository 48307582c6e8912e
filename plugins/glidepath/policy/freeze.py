"""Freeze windows: times in which no release starts."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from glidepath.policy.fields import Zone

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(value: Any) -> Any:
    # YAML reads 16:00 without quotes as the number 960.
    if isinstance(value, (int, float)):
        raise ValueError('expected a time of day in quotes, such as "16:00"')
    return value


Clock = Annotated[time, BeforeValidator(_clock)]


class Window(BaseModel):
    """A time in which no release starts: once (`start`, `end`) or every week (`days`, `begin`, `finish`).

    A weekly window whose `finish` is not after its `begin` ends on the next day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: Zone = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    days: tuple[Day, ...] = ()
    begin: Clock = time(0, 0)
    finish: Clock = time(0, 0)
    why: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Window:
        once = self.start is not None and self.end is not None
        if once == bool(self.days):
            raise ValueError("expected either start and end, or days")
        if self.start is not None and self.end is not None:
            if self.start.tzinfo is not None or self.end.tzinfo is not None:
                raise ValueError("start and end are local times of `timezone`; write them without an offset")
            if self.end <= self.start:
                raise ValueError(f"end {self.end} is not after start {self.start}")
        return self

    def until(self, now: datetime) -> datetime | None:
        """When the window that holds `now` (time zone aware) ends; None when it holds none."""
        local = now.astimezone(ZoneInfo(self.timezone))
        if self.start is not None and self.end is not None:
            zone = ZoneInfo(self.timezone)
            start, end = self.start.replace(tzinfo=zone), self.end.replace(tzinfo=zone)
            return end if start <= now < end else None
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if DAYS[day.weekday()] not in self.days:
                continue
            zone = ZoneInfo(self.timezone)
            start = datetime.combine(day, self.begin, zone)
            later = day if self.finish > self.begin else day + timedelta(days=1)
            end = datetime.combine(later, self.finish, zone)
            if start <= now < end:
                return end
        return None


def frozen_until(windows: tuple[Window, ...], now: datetime) -> tuple[datetime, str] | None:
    """Until when releases are frozen and why, or None when they are not."""
    held = [(end, window.why) for window in windows if (end := window.until(now)) is not None]
    return max(held, key=lambda pair: pair[0]) if held else None
