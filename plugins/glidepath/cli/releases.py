"""Releases that the record has: how they stand, and what a person asks of one under way."""

from __future__ import annotations

import getpass
import json
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import click

from glidepath.cli.options import form, record_option, service_option
from glidepath.errors import AskedError, GlidepathError, NoReleaseError

if TYPE_CHECKING:
    from glidepath.cli.watching import Read
    from glidepath.record import Record
    from glidepath.status import Status

# How `status` ends, so that a job can wait for a release. 2 is a command that is not understood.
PROMOTED, TAKEN_BACK, NEEDS_A_PERSON, UNDECIDED, NOT_READ = 0, 1, 3, 4, 5


def known(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Identities that begin so, to complete a name by; none where the record can't be read."""
    from glidepath.record import Record

    with suppress(GlidepathError):
        return [row.id for row in Record(context.params.get("record")).recent() if row.id.startswith(begun)]
    return []


release_argument = click.argument("release", required=False, shell_complete=known)


def newest(record: Record, release: str | None, service: str | None) -> str:
    """The release that is meant: the one that is named, else the newest.

    Raises:
        NoReleaseError: There is none.
    """
    if release:
        return release
    rows = record.recent(service, 1)
    if not rows:
        raise NoReleaseError(
            f"the record has no release{f' of {service}' if service else ''}; name one, or trigger its DAG"
        )
    return rows[0].id


def under_way(record: Record, release: str | None, service: str | None) -> str:
    """The release that something is asked of: the one that is named, else the only one that is under way.

    Raises:
        NoReleaseError: None is.
        AskedError: Several are: which is meant must be said.
    """
    from glidepath.record.reading import unfinished

    return release or only(unfinished(record, service), "is under way", service)


def only(identities: Sequence[str], what: str, service: str | None) -> str:
    """The only one of several identities.

    Raises:
        NoReleaseError: There is none.
        AskedError: There are more.
    """
    of = f" of {service}" if service else ""
    if not identities:
        raise NoReleaseError(f"no release{of} {what}; name one as DAG/RUN")
    if len(identities) > 1:
        raise AskedError(
            f"{len(identities)} releases{of}: {', '.join(sorted(identities))}: expected the name of one of them"
        )
    return identities[0]


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
    from glidepath.cli.watching import shown, watched

    try:
        read = _reader(record, release, service)
        if watch:
            with shown(output) as show:
                status = watched(read, show, lambda status: status.identity.ended is not None, timeout)
        else:
            status = read()
    except GlidepathError as error:
        print(f"glidepath: {error}", file=sys.stderr)
        return NOT_READ
    if status is None:
        return NOT_READ
    tell(status, output)
    return ended_with(status)


def ended_with(status: Status) -> int:
    """The exit code that says how a release stands."""
    from glidepath.status.form import State

    codes = {
        State.PROMOTED: PROMOTED, State.NOTHING_TO_DO: PROMOTED, State.DRY_RUN: PROMOTED, State.ROLLED_BACK: TAKEN_BACK,
        State.REFUSED: TAKEN_BACK, State.WAITING: NEEDS_A_PERSON,
    }  # fmt: skip
    return codes.get(status.banner.state, UNDECIDED)


def _reader(url: str | None, release: str | None, service: str | None) -> Read:
    """Reads how a release stands; where nothing is new, only the clock goes on."""
    from glidepath.record import Record
    from glidepath.status import mark, status

    identity, seen = release, ""
    latest: Status | None = None

    def read() -> Status:
        nonlocal identity, seen, latest
        record = Record(url)
        identity = newest(record, identity, service)
        now = mark(record, identity)
        if latest is None or now is None or now != seen:
            latest = status(record, identity, time.time())
            seen = latest.mark
        return replace(latest, now=time.time())

    return read


def tell(status: Status, output: str) -> None:
    """Say how a release stands."""
    from glidepath.status.telling import lines

    if output == "json":
        print(json.dumps(status.to_dict(), allow_nan=False))
        return
    for line in lines(status):
        print(line)


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


def with_a_reason(what: str, says: str, default: str, dry_run: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Makes a command of what a person says about one release.

    Args:
        what: Its name.
        says: What it does.
        default: Which release is meant where none is named.
        dry_run: What it does with --dry-run.
    """
    options = (
        click.command(what, help=f"{says}\n\nRELEASE is its identity, DAG/RUN; default: {default}."),
        release_argument,
        service_option,
        click.option("--reason", required=True, help="Why; it is recorded with your name."),
        click.option("--dry-run", is_flag=True, help=dry_run),
    )

    def made(command: Callable[..., Any]) -> click.Command:
        for option in reversed(options):
            command = option(command)
        return cast(click.Command, command)

    return made


def _asks(what: str, says: str) -> click.Command:
    @with_a_reason(what, says, "the only one that is under way", "Say whether it can be asked; ask nothing.")
    @record_option
    @form
    def command(
        release: str | None, service: str | None, reason: str, dry_run: bool, record: str | None, output: str
    ) -> None:
        from glidepath.record import Record
        from glidepath.release.asking import ask, checked

        kept = Record(record)
        identity, who = under_way(kept, release, service), f"{getpass.getuser()}@{socket.gethostname()}"
        word = (checked if dry_run else ask)(kept, identity, what, who, reason, time.time())
        answer: dict[str, Any] = {
            "release": identity,
            "asked": not dry_run,
            "what": word.what,
            "who": word.who,
            "why": word.why,
        }
        if output == "json":
            print(json.dumps(answer))
        else:
            did = "could be asked" if dry_run else "is asked; its guard follows in its next round"
            print(f"{what} of {identity} {did}: {word.why}")

    return command


ASKED: dict[str, str] = {
    "take-back": "Take a release back: all requests on the stable version, at once.",
    "hold": "Keep a release at its weight until it is resumed; proven harm is taken back all the same.",
    "resume": "Let a release that is held go on.",
    "commit": "End the observation after a promotion: the old version goes.",
}
COMMANDS: tuple[click.Command, ...] = (status_of, history, *(_asks(what, says) for what, says in ASKED.items()))
