"""Releases: how they stand, and what a person asks of one under way."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import click

from glidepath.cli.options import form, service_option
from glidepath.cli.reached import Reach, Releases, by_airflow, opened, reaching
from glidepath.errors import AskedError, GlidepathError, NoReleaseError

if TYPE_CHECKING:
    from glidepath.cli.watching import Read
    from glidepath.status import Status

# How `status` ends, so that a job can wait for a release. 2 is a command that is not understood.
PROMOTED, TAKEN_BACK, NEEDS_A_PERSON, UNDECIDED, NOT_READ = 0, 1, 3, 4, 5
# How many releases a name is completed from.
COMPLETED = 50


def known(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Identities that begin so, to complete a name by; none where releases can't be reached."""
    given = [context.params.get(name) for name in ("record", "airflow", "user", "password_file")]
    with suppress(GlidepathError, click.UsageError):
        there = opened(by_airflow(context, given[0], given[1]), *given)
        return [row.id for row in there.listed(COMPLETED, None) if row.id.startswith(begun)]
    return []


release_argument = click.argument("release", required=False, shell_complete=known)


def newest(there: Releases, release: str | None, service: str | None) -> str:
    """The release that is meant: the one that is named, else the newest.

    Raises:
        NoReleaseError: There is none.
    """
    if release:
        return release
    rows = there.listed(1, service)
    if not rows:
        raise NoReleaseError(
            f"there is no release{f' of {service}' if service else ''}; name one as DAG/RUN, or trigger its DAG"
        )
    return rows[0].id


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
@reaching
@click.option("--watch", is_flag=True, help="Tell what happens until it is over, or until --timeout.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), help="Seconds that --watch watches; default: until it is over."
)
@form
def status_of(
    release: str | None, service: str | None, reach: Reach, watch: bool, timeout: float | None, output: str
) -> int:
    """Say how a release stands: the page's text in a terminal.

    RELEASE is its identity, DAG/RUN; default: the newest. Ends with 0 when it was promoted (or there was nothing to do), 1 when
    it was taken back or refused, 3 when it needs a person, 4 while it is undecided, 5 when it can't be read.
    """
    from glidepath.cli.watching import shown, watched

    def follow() -> int:
        read = _reader(reach(), release, service)
        if watch:
            with shown(output) as show:
                status = watched(read, show, lambda status: status.identity.ended is not None, timeout)
        else:
            status = read()
        if status is None:
            return NOT_READ
        tell(status, output)
        return ended_with(status)

    return followed(follow)


def followed(follow: Callable[[], int], told: str = "") -> int:
    """The code by which a command ends that follows a release; where it can't, why is said on stderr.

    Args:
        follow: Follows it; its code.
        told: What is said before an error.
    """
    try:
        code = follow()
        sys.stdout.flush()
        return code
    except GlidepathError as error:
        print(f"glidepath: {told}{error}", file=sys.stderr)
    except BrokenPipeError:  # who read it has gone; 0 would say that it was promoted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception:  # whatever it is: with 1 it would say that it was taken back
        traceback.print_exc()
    return NOT_READ


def ended_with(status: Status) -> int:
    """The exit code that says how a release stands."""
    from glidepath.status.form import State

    codes = {
        State.PROMOTED: PROMOTED, State.NOTHING_TO_DO: PROMOTED, State.DRY_RUN: PROMOTED, State.ROLLED_BACK: TAKEN_BACK,
        State.REFUSED: TAKEN_BACK, State.WAITING: NEEDS_A_PERSON,
    }  # fmt: skip
    return codes.get(status.banner.state, UNDECIDED)


def _reader(there: Releases, release: str | None, service: str | None) -> Read:
    """Reads how a release stands: of the newest, the one that was so at the first time."""
    identity = release

    def read() -> Status:
        nonlocal identity
        identity = newest(there, identity, service)
        return there.status(identity)

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
@reaching
@form
def history(service: str | None, limit: int, reach: Reach, output: str) -> None:
    """List releases, the newest first."""
    from glidepath.status.telling import row_line

    rows = reach().listed(limit, service)
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
    @reaching
    @form
    def command(
        release: str | None, service: str | None, reason: str, dry_run: bool, reach: Reach, output: str
    ) -> None:
        there = reach()
        identity = release or only(there.under_way(service), "is under way", service)
        who, why = there.ask(identity, what, reason, dry_run), " ".join(reason.split())
        if output == "json":
            print(json.dumps({"release": identity, "asked": not dry_run, "what": what, "who": who, "why": why}))
        else:
            did = "could be asked" if dry_run else "is asked; its guard follows in its next round"
            print(f"{what} of {identity} {did}: {why}")

    return command


ASKED: dict[str, str] = {
    "take-back": "Take a release back: all requests on the stable version, at once.",
    "hold": "Keep a release at its weight until it is resumed; proven harm is taken back all the same.",
    "resume": "Let a release that is held go on.",
    "commit": "End the observation after a promotion: the old version goes.",
}
COMMANDS: tuple[click.Command, ...] = (status_of, history, *(_asks(what, says) for what, says in ASKED.items()))
