"""Releases through Airflow's API: started, waited for, and its question answered."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import click

from glidepath.cli.options import form
from glidepath.cli.releases import (
    NEEDS_A_PERSON,
    NOT_READ,
    PROMOTED,
    TAKEN_BACK,
    UNDECIDED,
    ended_with,
    followed,
    only,
    tell,
    with_a_reason,
)  # fmt: skip
from glidepath.cli.server import server, through_airflow
from glidepath.errors import AskedError, LostError, NoReleaseError, TemporaryError
from glidepath.policy import MAX_STEPS
from glidepath.policy.model import dag_id as dag_id_of_name

if TYPE_CHECKING:
    from glidepath.cli.server import Server
    from glidepath.status import Status

PREFIX = "release_"
# How Airflow's run has ended that nothing is recorded of: refused by `plan`, or begun too late to release.
UNRECORDED = {"failed": TAKEN_BACK, "success": PROMOTED}
SAYS = {
    "approve": "Answer a release that asks a person: give it its first requests, or promote it.",
    "reject": "Answer a release that asks a person: take it back.",
}


class Weights(click.ParamType):  # type: ignore[type-arg]
    """Percents, with commas between them."""

    name = "5,25,50"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """As a list."""
        if isinstance(value, list):
            return value
        try:
            weights = [int(percent) for percent in str(value).split(",")]
        except ValueError:
            self.fail(f"{value!r} are no weights; expected percents such as 5,25,50", param, ctx)
        if len(weights) > MAX_STEPS:
            self.fail(f"{len(weights)} weights, expected at most {MAX_STEPS}", param, ctx)
        return weights


@click.command("release")
@click.argument("service")
@click.option("--version", help="What is released: its image's tag or digest; default: the policy's.")
@click.option("--weights", type=Weights(), help="Ascending percents; default: the policy's.")
@click.option("--bake", help="Minimum time at each weight, such as 90s or 2m.")
@click.option("--tolerance", type=click.FloatRange(1, 3, min_open=True), help="Of latency, such as 1.10.")
@click.option("--decision", type=click.Choice(["non-inferior", "superior"]), help="Decision rule.")
@click.option("--override-freeze", metavar="WHY", help="Why it can't wait for the end of a freeze window.")
@click.option("--dry-run", is_flag=True, help="Plan and render only: the run touches nothing.")
@click.option("--wait", is_flag=True, help="Wait until it is over, or a person is asked.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds that --wait waits at most.")
@through_airflow
@form
def release_service(
    service: str, dry_run: bool, wait: bool, timeout: float | None, airflow: str, user: str | None,
    password_file: str | None, output: str, **parameters: Any,
) -> int:  # fmt: skip
    """Start a release of SERVICE, or of the DAG release_SERVICE, through Airflow.

    With --wait it ends with 0 when it was promoted (or there was nothing to do), 1 when it was taken back or refused, 3 as soon
    as a person is asked, 4 while it is undecided when the time is over, 5 when it is started and can't be followed. Without it: 0 when it is
    started, 5 when that is not known.
    """
    dag_id = service if service.startswith(PREFIX) else dag_id_of_name(service)
    conf = {name: value for name, value in parameters.items() if value is not None} | (
        {"dry_run": True} if dry_run else {}
    )
    there = server(airflow, user, password_file, os.environ)
    try:
        release = there.start(dag_id, conf)
    except LostError as error:  # a job must not take it for one that was refused
        click.echo(f"glidepath: {error}", err=True)
        return NOT_READ
    if output == "text":
        click.echo(f"release {release} is started")
    if wait:
        # Where it can't be followed it goes on: a job must not take it for one that was taken back.
        told = f"{release} is started, and can't be followed: "
        return followed(lambda: _waited(there, release, timeout, output), told)
    if output == "json":
        click.echo(json.dumps({"release": release}))
    return PROMOTED


def _waited(there: Server, release: str, timeout: float | None, output: str) -> int:
    """Follow a release until it is over or asks a person; its exit code."""
    from glidepath.cli.watching import shown, watched

    began = time.monotonic()
    code = _unplanned(there, release, timeout)
    if code is None:
        with shown(output) as show:
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
            status = watched(lambda: there.status(release), show, _settled, left)
        if status is not None:
            tell(status, output)
            return ended_with(status)
        code = UNDECIDED
    reasons = {TAKEN_BACK: "refused: the log of its task `plan` says why", PROMOTED: "ended without a release"}
    reason = reasons.get(code, "not planned yet")
    click.echo(json.dumps({"release": release, "is": reason}) if output == "json" else f"release {release}: {reason}")
    return code


def _settled(status: Status) -> bool:
    return status.identity.ended is not None or ended_with(status) == NEEDS_A_PERSON


def _unplanned(there: Server, release: str, timeout: float | None) -> int | None:
    """Wait until a release is in the record; the code of one that never will be, or is not in time; else None."""
    from glidepath.cli.watching import POLL_S

    began, away = time.monotonic(), False
    while True:
        try:
            there.status(release)
            return None
        except NoReleaseError:
            if (code := UNRECORDED.get(_state(there, release))) is not None:
                return code
        except TemporaryError as error:
            if not away:
                click.echo(f"glidepath: not read, tried again: {error}", err=True)
            away = True
        left = None if timeout is None else began + timeout - time.monotonic()
        if left is not None and left <= 0:
            return UNDECIDED
        time.sleep(POLL_S if left is None else min(POLL_S, left))


def _state(there: Server, release: str) -> str:
    try:
        return there.state(release)
    except TemporaryError:
        return ""


def _answers(what: str) -> click.Command:
    @with_a_reason(what, SAYS[what], "the only one that waits", "Say whether it can be answered; answer nothing.")
    @through_airflow
    @form
    def command(
        release: str | None, service: str | None, reason: str, dry_run: bool, airflow: str, user: str | None,
        password_file: str | None, output: str,
    ) -> None:  # fmt: skip
        from glidepath.release.questions import APPROVE, BACK

        there = server(airflow, user, password_file, os.environ)
        identity = release or only(there.waiting(service), "waits for a person", service)
        status = there.status(identity)
        question, can = status.question, status.actions
        if what not in can or question is None:
            raise AskedError(f"{what} was asked of release {identity}; expected one of {', '.join(can) or 'nothing'}")
        if not dry_run:
            there.answer(identity, question.task, question.yes if what == APPROVE else BACK)
            there.ask(identity, what, reason)
        if output == "json":
            click.echo(json.dumps({"release": identity, "asked": not dry_run, "what": what, "why": reason}))
        else:
            click.echo(f"{what} of {identity} {'could be answered' if dry_run else 'is answered'}: {reason}")

    return command


COMMANDS: tuple[click.Command, ...] = (release_service, *(_answers(what) for what in SAYS))
