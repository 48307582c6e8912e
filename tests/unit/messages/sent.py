"""Outboxes to a bot, on a copy of the played record: what is noted there is one test's own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from glidepath.messages.carriers import carrier
from glidepath.messages.mail import Server
from glidepath.messages.outbox import Outbox
from glidepath.policy.messages import Channel
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.release.people import Messaged
from tests.support.releases import DAG

NOW = 1_800_009_000.0
SLACK = {"to": "slack", "connection": "slack", "channel": "#releases"}
EVENTS = {"to": "cloudevents", "connection": "events"}
STATUS = {
    "to": "webhook", "connection": "git", "path": "/repos/acme/prices/statuses/$version",
    "body": {"state": "$status", "description": "$sentence", "target_url": "$link", "context": "glidepath/${service}"},
}  # fmt: skip
SECRET = {"Authorization": "Bearer planted-token"}


def channel(said: dict[str, Any], **more: Any) -> Channel:
    """A channel, as a policy says it."""
    return TypeAdapter(Channel).validate_python({**said, **more})


def nobody() -> Server:
    """No mail server."""
    raise AssertionError("no mail is sent here")


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


def copied(played: str, folder: Path) -> Record:
    """The played record, copied."""
    shutil.copy(played.removeprefix("sqlite:///"), folder / "copy.db")
    return Record(f"sqlite:///{folder}/copy.db")


def box(
    record: Record, name: str, asked: Channel, url: str, now: Callable[[], float] = time.time,
    say: Callable[[str], None] = lambda _: None, link: str = "https://airflow.example/release",
) -> Outbox:  # fmt: skip
    """The outbox of a channel that leads to a bot."""
    where = partial(lambda: (url, SECRET))
    return Outbox(
        record, f"{DAG}/manual__{name}+00:00", f"{asked.to}-1", asked, carrier(asked, where, nobody), link, say, now
    )


def noted(record: Record, name: str) -> list[Messaged]:
    """What the journal says of messages."""
    entries = Journal(record, f"{DAG}/manual__{name}+00:00").entries()
    return [one for one in entries if isinstance(one, Messaged)]
