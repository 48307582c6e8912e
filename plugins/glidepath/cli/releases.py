"""Releases that the record has: how they stand, and what a person asks of one under way."""

from __future__ import annotations

import getpass
import json
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from glidepath.cli.recorded import form
from glidepath.errors import GlidepathError, NoReleaseError

if TYPE_CHECKING:
    from glidepath.record import Record
    from glidepath.status import Status

# How `status` ends, so that a job can wait for a release. 2 is a command that is not understood.
PROMOTED, TAKEN_BACK, NEEDS_A_PERSON, UNDECIDED, NOT_READ = 0, 1, 3, 4, 5
POLL_S = 5.0
record_option = click.option(
    "--record", help="The record's SQLAlchemy URL; default: GLIDEPATH_RECORD_URL, or Airflow's home."
)
release_argument = click.argument("release", required=False)
service_option = click.option("--service", help="The newest release of this service, where none is named.")


def newest(record: Record, release: str | None, service: str | None) -> str:
    """The release that is meant: the one that is named, else the newest.

    Raises:
        NoReleaseError: There is none.
    """
    if release:
        return release
    found = record.recent(service, 1)
    if not found:
        raise NoReleaseError(
            f"the record has no release{f' of {service}' if service else ''}; name one, or trigger its DAG"
        )
    return found[0].id


@click.command("status")
@release_argument
@service_option
@record_option
@click.option("--watch", is_flag=True, help="Tell what happens until it is over, or until --timeout.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), help="Seconds that --watch watches; default: until it is over."
)
@form
def status_of(
    release: str | None, service: str | None, record: str | None, watch: bool, timeout: float | None, output: str
) -> int:
    """Say how a release stands: the page's text in a terminal.

    RELEASE is its identity, DAG/RUN; default: the newest. Ends with 0 when it was promoted (or there was nothing to do), 1 when
    it was taken back or refused, 3 when it needs a person, 4 while it is undecided, 5 when it can't be read.
    """
    from glidepath.record import Record

    try:
        kept = Record(record)
        identity = newest(kept, release, service)
        found = _watched(kept, identity, timeout, output) if watch else _read(kept, identity)
    except GlidepathError as error:
        print(f"glidepath: {error}", file=sys.stderr)
        return NOT_READ
    _tell(found, output)
    return ended_with(found)


def ended_with(found: Status) -> int:
    """The exit code that says how a release stands."""
    from glidepath.status.form import State

    codes = {
        State.PROMOTED: PROMOTED, State.NOTHING_TO_DO: PROMOTED, State.DRY_RUN: PROMOTED, State.ROLLED_BACK: TAKEN_BACK,
        State.REFUSED: TAKEN_BACK, State.WAITING: NEEDS_A_PERSON,
    }  # fmt: skip
    return codes.get(found.banner.state, UNDECIDED)


def _read(record: Record, identity: str) -> Status:
    from glidepath.status import status

    return status(record, identity, time.time())


def _tell(found: Status, output: str) -> None:
    from glidepath.status.telling import lines

    if output == "json":
        print(json.dumps(found.to_dict(), allow_nan=False))
        return
    for line in lines(found):
        print(line)


def _watched(record: Record, identity: str, timeout: float | None, output: str) -> Status:
    """Tell each new thing once, until the release is over or the time is; what it is then."""
    from glidepath.status import mark
    from glidepath.status.telling import moment_line, moments

    end = None if timeout is None else time.monotonic() + timeout
    seen, told = None, 0
    while True:
        now = mark(record, identity)
        if now != seen or now is None:
            found = _read(record, identity)
            seen, lines = found.mark, moments(found)
            for one in lines[told:] if output == "text" else ():
                print(moment_line(one), flush=True)
            told = len(lines)
        if found.identity.ended is not None or (end is not None and time.monotonic() >= end):
            return found
        time.sleep(POLL_S if end is None else max(0.0, min(POLL_S, end - time.monotonic())))


@click.command("history")
@click.option("--service", help="Of this service only.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many.")
@record_option
@form
def history(service: str | None, limit: int, record: str | None, output: str) -> None:
    """List releases, the newest first."""
    from glidepath.record import Record
    from glidepath.status import listed
    from glidepath.status.telling import row_line

    rows = listed(Record(record), limit, service)
    if output == "json":
        print(json.dumps([row.to_dict() for row in rows]))
        return
    for row in rows:
        print(row_line(row))


def _asks(what: str, says: str) -> click.Command:
    @click.command(what, help=f"{says}\n\nRELEASE is its identity, DAG/RUN; default: the newest.")
    @release_argument
    @service_option
    @click.option("--reason", required=True, help="Why; it is recorded with your name.")
    @click.option("--dry-run", is_flag=True, help="Say whether it can be asked; ask nothing.")
    @record_option
    @form
    def command(
        release: str | None, service: str | None, reason: str, dry_run: bool, record: str | None, output: str
    ) -> None:
        from glidepath.record import Record
        from glidepath.release.asking import ask, checked

        kept = Record(record)
        identity, who = newest(kept, release, service), f"{getpass.getuser()}@{socket.gethostname()}"
        word = (checked if dry_run else ask)(kept, identity, what, who, reason, time.time())
        told: dict[str, Any] = {
            "release": identity,
            "asked": not dry_run,
            "what": word.what,
            "who": word.who,
            "why": word.why,
        }
        if output == "json":
            print(json.dumps(told))
        else:
            did = "could be asked" if dry_run else "is asked; its guard follows at its next tick"
            print(f"{what} of {identity} {did}: {word.why}")

    made: click.Command = command
    return made


ASKED: dict[str, str] = {
    "take-back": "Take a release back: all requests on the stable version, at once.",
    "hold": "Keep a release at its weight until it is resumed; proven harm is taken back all the same.",
    "resume": "Let a release that is held go on.",
    "commit": "End the observation after a promotion: the old version goes.",
}
COMMANDS: tuple[click.Command, ...] = (status_of, history, *(_asks(what, says) for what, says in ASKED.items()))
