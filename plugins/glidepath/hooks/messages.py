"""The outboxes of a release: its policy's channels, with Airflow's connections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from glidepath.errors import SetupError
from glidepath.hooks.http import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from glidepath.messages.mail import Server
    from glidepath.messages.outbox import Outbox
    from glidepath.messages.port import Carrier
    from glidepath.policy.messages import Channel

SLACK = "https://slack.com/api"
SMTP_PORT = {"wrapped": 465, "started": 587, "none": 25}


def outboxes(release_id: str, link: str, say: Callable[[str], None]) -> list[Outbox]:
    """One for each channel of a release's policy, as it was planned by; its secrets are read at each message.

    Args:
        release_id: The release in the record.
        link: The release's page.
        say: Where failures are logged.

    Raises:
        NoReleaseError: The record has no such release.
        RecordError: The record can't be read.
    """
    from glidepath.messages.outbox import Outbox
    from glidepath.policy import ReleaseSpec
    from glidepath.record import Record

    record = Record()
    channels = ReleaseSpec.from_dict(record.get(release_id).spec).messages
    return [Outbox(record, release_id, *one, link, say) for one in carriers(channels)]


def carriers(channels: Sequence[Channel]) -> list[tuple[str, Channel, Carrier]]:
    """The channels of a policy, each with its name in the journal and what carries its messages."""
    from glidepath.messages.carriers import carrier
    from glidepath.policy.messages import names

    return [
        (
            name,
            channel,
            carrier(channel, partial(address, channel.connection, channel.to), partial(server, channel.connection)),
        )
        for name, channel in zip(names(channels), channels, strict=True)
    ]


def address(conn_id: str, to: str) -> tuple[str, dict[str, str]]:
    """The address and the headers of a channel that is posted to.

    Of Slack the password is the bot's token. Of Teams it is the whole address of the workflow, which has its secret in it;
    so may that of a webhook or of CloudEvents be.

    Raises:
        SetupError: The connection is none, or has no address.
    """
    connection = BaseHook.get_connection(conn_id)
    if to == "slack":
        base = address_of(connection)[0] if connection.host else SLACK
        return base, {"Authorization": f"Bearer {connection.password}"}
    password = connection.password or ""
    if not connection.host and password.startswith(("https://", "http://")):
        return password, {}
    if not connection.host or to == "teams":
        raise SetupError(
            f"connection {conn_id!r} has no address; expected a host, or as its password the whole address where that is secret"
        )
    return address_of(connection)


def server(conn_id: str) -> Server:
    """The mail server of a connection of type `smtp`, with the extra fields of Airflow's own.

    Raises:
        SetupError: It has no host.
    """
    from glidepath.messages.mail import Server

    connection = BaseHook.get_connection(conn_id)
    if not connection.host:
        raise SetupError(f"connection {conn_id!r} has no host; expected that of a mail server")
    extra = connection.extra_dejson or {}
    off = {name: str(extra.get(name, False)).lower() == "true" for name in ("disable_ssl", "disable_tls")}
    tls = "wrapped" if not off["disable_ssl"] else "none" if off["disable_tls"] else "started"
    return Server(
        connection.host, connection.port or SMTP_PORT[tls], connection.login or "", connection.password or "", tls
    )
