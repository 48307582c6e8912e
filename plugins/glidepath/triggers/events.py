"""What triggers tell the tasks that wait for them: JSON-safe, as Airflow's database keeps it, over an upgrade too."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from airflow.triggers.base import TriggerEvent

Status = Literal["closed", "decided", "free", "late", "over", "silent"]


class Told(TypedDict):
    """How the wait ended.

    Attributes:
        status: `decided`: there is a word; `silent`: the guard has not looked; `closed`: the release is over; `free`: nobody
            holds the service; `over`, `late`: the time is over, with nothing left to do or with something.
        why: In words, where there is something to say.
    """

    status: Status
    why: NotRequired[str]


def ended(told: Told) -> TriggerEvent:
    """The event by which a trigger ends."""
    return TriggerEvent(dict(told))
