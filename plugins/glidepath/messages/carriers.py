"""The carrier of each kind of channel."""

from __future__ import annotations

from collections.abc import Callable

from glidepath.messages.mail import Mail, Server
from glidepath.messages.port import Address, Carrier
from glidepath.messages.slack import Slack
from glidepath.messages.webhooks import CloudEvents, Teams, Webhook
from glidepath.policy.messages import Channel, EmailChannel, EventsChannel, SlackChannel, TeamsChannel


def carrier(asked: Channel, where: Address, server: Callable[[], Server]) -> Carrier:
    """What carries the messages of a channel.

    Args:
        asked: The channel.
        where: Its address and headers, of a service that is posted to.
        server: Its mail server.
    """
    if isinstance(asked, SlackChannel):
        return Slack(asked, where)
    if isinstance(asked, TeamsChannel):
        return Teams(asked, where)
    if isinstance(asked, EmailChannel):
        return Mail(asked, server)
    if isinstance(asked, EventsChannel):
        return CloudEvents(asked, where)
    return Webhook(asked, where)
