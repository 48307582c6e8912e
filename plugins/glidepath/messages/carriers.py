"""The carrier of each kind of channel."""

from __future__ import annotations

from collections.abc import Callable

from glidepath.messages.mail import Mail, Server
from glidepath.messages.port import Address, Carrier
from glidepath.messages.slack import Slack
from glidepath.messages.webhooks import CloudEvents, Teams, Webhook
from glidepath.policy.messages import Channel, EmailChannel, EventsChannel, SlackChannel, TeamsChannel


def carrier(channel: Channel, where: Address, server: Callable[[], Server]) -> Carrier:
    """What carries the messages of a channel.

    Args:
        channel: The channel.
        where: Its address and headers, of a service that is posted to.
        server: Its mail server.
    """
    if isinstance(channel, SlackChannel):
        return Slack(channel, where)
    if isinstance(channel, TeamsChannel):
        return Teams(channel, where)
    if isinstance(channel, EmailChannel):
        return Mail(channel, server)
    if isinstance(channel, EventsChannel):
        return CloudEvents(channel, where)
    return Webhook(channel, where)
