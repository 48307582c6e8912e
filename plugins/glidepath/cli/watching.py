"""A release followed from a terminal: a live table, or a line for each thing that happens; outages are waited out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from glidepath.errors import NoRecordError, TemporaryError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from glidepath.status import Status

POLL_S = 5.0
# A record or a server that could not be read at all for so long is taken for one that is not there, seconds.
FIRST_S = 60.0
LATEST = 10
TONES = {"good": "green", "bad": "red", "waiting": "yellow", "calm": "bright_black"}

Read = Callable[[], "Status"]
Show = Callable[["Status"], None]


def watched(read: Read, show: Show, over: Callable[[Status], bool], timeout: float | None) -> Status | None:
    """Read until something is over, or until the time is.

    Args:
        read: How the release stands.
        show: Called with what was read.
        over: Whether it is followed no further.
        timeout: Seconds; None: until it is over.

    Returns:
        What was read last; None when the time was over before anything was.

    Raises:
        NoRecordError: There is nothing to wait for.
        TemporaryError: Nothing could be read for a minute from the start on.
    """
    began = time.monotonic()
    status: Status | None = None
    away = False
    while True:
        try:
            status = read()
            show(status)
            if away:
                print("glidepath: it can be read again", file=sys.stderr)
            away = False
        except NoRecordError:
            raise
        except TemporaryError as error:
            if status is None and time.monotonic() - began >= (FIRST_S if timeout is None else min(FIRST_S, timeout)):
                raise
            if not away:
                print(f"glidepath: not read, tried again: {error}", file=sys.stderr)
            away = True
        left = None if timeout is None else began + timeout - time.monotonic()
        if (status is not None and not away and over(status)) or (left is not None and left <= 0):
            return status
        time.sleep(POLL_S if left is None else min(POLL_S, left))


@contextmanager
def shown(output: str) -> Iterator[Show]:
    """How what is read is shown: as JSON not before the end, on a terminal as a table that changes, else line by line."""
    if output != "text":
        yield lambda _: None
    elif not sys.stdout.isatty():
        yield _lines()
    else:
        from rich.console import Console
        from rich.live import Live

        with Live(console=Console(), refresh_per_second=2, transient=True) as live:
            yield lambda status: live.update(table(status))


def _lines() -> Show:
    """Tells each new thing once."""
    count = 0

    def show(status: Status) -> None:
        nonlocal count
        from glidepath.status.telling import moment_line, moments

        lines = moments(status)
        for moment in lines[count:]:
            print(moment_line(moment), flush=True)
        count = len(lines)

    return show


def table(status: Status) -> RenderableType:
    """A release as a table for a terminal: the same words as `status`, in the same order."""
    from rich import box
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from glidepath.status.telling import clock, moments
    from glidepath.status.telling import facts as facts_of

    colour = TONES[str(status.banner.tone)]
    title = Text(f"{status.identity.service} {status.identity.stable} -> {status.identity.canary}", style="bold")
    head = Panel(Text(f"{status.banner.state}: {status.banner.sentence}"), title=title, border_style=colour)
    facts = Table.grid(padding=(0, 1))
    for name, value in _facts(list(facts_of(status))[1:]):
        facts.add_row(Text(name, style="bright_black"), Text(value))
    latest = Table(box=box.SIMPLE_HEAD, show_header=False, expand=True)
    for moment in list(moments(status))[-LATEST:]:
        latest.add_row(
            Text(clock(moment.at)[11:], style="bright_black"), Text(moment.text, style=TONES[str(moment.tone)])
        )
    return Group(head, facts, latest)


def _facts(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name, value.strip()
