"""Where a command finds releases and asks of them: the record's database, or Airflow's API where there is no way to that."""

from __future__ import annotations

import getpass
import io
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

import click
from click.core import ParameterSource

from glidepath.cli.options import record_option
from glidepath.cli.server import WHO_OPTIONS, airflow_option, server

if TYPE_CHECKING:
    from glidepath.policy import Policy
    from glidepath.status import Row, Status

RECORD_ENV = "GLIDEPATH_RECORD_URL"
OPTIONS = (
    record_option,
    airflow_option(required=False, otherwise=", for who can't reach the record's database"),
    *WHO_OPTIONS,
)


class Releases(Protocol):
    """Releases, as a terminal reaches them. Each call may raise what its place has: RecordError, ServerError."""

    def status(self, release: str) -> Status:
        """How a release stands; NoReleaseError where there is none."""

    def listed(self, limit: int, service: str | None) -> list[Row]:
        """The newest first, at most so many, of one service or of all."""

    def under_way(self, service: str | None) -> list[str]:
        """The identities of those that are not over, the newest first."""

    def ask(self, release: str, what: str, why: str, dry_run: bool) -> str:
        """Write down what a person asks, or only see whether it can be asked; who that is. AskedError where it can't."""

    def evidence(self, release: str) -> str:
        """What it was judged by, as JSON Lines."""

    def report(self, release: str, form: str, policies: Mapping[str, Policy]) -> str:
        """Its report as `markdown`, `html` or `json`, with what other policies would have decided."""


Reach = Callable[[], Releases]


class ByRecord:
    """Releases by the record's database.

    Args:
        url: Its address; None: that of the environment.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._latest: Status | None = None

    def status(self, release: str) -> Status:
        """As it stands; it is not made anew where nothing is new."""
        from dataclasses import replace

        from glidepath.record import Record
        from glidepath.status import mark, status

        record = Record(self._url)
        stamp, known = mark(record, release), self._latest
        if known is None or stamp is None or stamp != known.mark:
            known = self._latest = status(record, release, time.time())
        return replace(known, now=time.time())

    def listed(self, limit: int, service: str | None) -> list[Row]:
        """As the record has them."""
        from glidepath.record import Record
        from glidepath.status import listed

        return listed(Record(self._url), limit, service)

    def under_way(self, service: str | None) -> list[str]:
        """As the record has them."""
        from glidepath.record import Record
        from glidepath.record.reading import unfinished

        return unfinished(Record(self._url), service)

    def ask(self, release: str, what: str, why: str, dry_run: bool) -> str:
        """By the name of who is at this machine."""
        from glidepath.record import Record
        from glidepath.release.asking import ask, checked

        who = f"{getpass.getuser()}@{socket.gethostname()}"
        return (checked if dry_run else ask)(Record(self._url), release, what, who, why, time.time()).who

    def evidence(self, release: str) -> str:
        """Of its looks."""
        from glidepath.record import Record
        from glidepath.replay.evidence import write_evidence
        from glidepath.replay.recorded import export

        text = io.StringIO()
        write_evidence(export(Record(self._url), release), text)
        return text.getvalue()

    def report(self, release: str, form: str, policies: Mapping[str, Policy]) -> str:
        """Written here."""
        from glidepath.record import Record
        from glidepath.reporting import FORMS, document

        return FORMS[form](document(Record(self._url), release, time.time(), policies))


def reaching(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that lead to releases; it gets as `reach` what opens the way.

    An option goes before the environment, and there the record before Airflow: it answers while Airflow does not.
    """

    @wraps(command)
    def with_reach(
        *args: Any, record: str | None, airflow: str | None, user: str | None, password_file: str | None, **options: Any
    ) -> Any:
        context = click.get_current_context()
        through = by_airflow(context, record, airflow)
        return command(*args, reach=lambda: opened(through, record, airflow, user, password_file), **options)

    made: Callable[..., Any] = with_reach
    for option in reversed(OPTIONS):
        made = option(made)
    return made


def by_airflow(context: click.Context, record: str | None, airflow: str | None) -> bool:
    """Whether releases are reached through Airflow.

    Raises:
        click.UsageError: Both ways are named as options.
    """
    named = context.get_parameter_source("airflow") == ParameterSource.COMMANDLINE
    if named and record is not None:
        raise click.UsageError(
            "--record and --airflow are two ways to the same releases: expected one of them", context
        )
    return named or (airflow is not None and record is None and RECORD_ENV not in os.environ)


def opened(
    through_airflow: bool, record: str | None, airflow: str | None, user: str | None, password_file: str | None
) -> Releases:
    """The way that was chosen.

    Raises:
        SetupError: Airflow's address is none, or there is no way to log in.
    """
    return server(airflow or "", user, password_file, os.environ) if through_airflow else ByRecord(record)
