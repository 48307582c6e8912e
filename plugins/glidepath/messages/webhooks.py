"""Carriers that post JSON: CloudEvents, a template of the policy's, a workflow of Teams."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from glidepath.kube import GROUP
from glidepath.messages.message import Message
from glidepath.messages.port import Address, Carrier, post
from glidepath.policy.messages import EventsChannel, TeamsChannel, WebhookChannel, filled
from glidepath.status.form import Tone

COLOURS = {Tone.GOOD: "Good", Tone.BAD: "Attention", Tone.WAITING: "Warning", Tone.CALM: "Default"}


class CloudEvents(Carrier):
    """CloudEvents 1.0 in structured mode: https://github.com/cloudevents/spec. One that comes twice has the same id."""

    every = True

    def __init__(self, channel: EventsChannel, where: Address) -> None:
        self._channel, self._where = channel, where

    def send(self, message: Message, thread: str) -> str:
        """See `Carrier.send`."""
        data = message.data
        event = {
            "specversion": "1.0",
            "id": f"{message.release}:{message.news.key}",
            "source": f"/{GROUP}/{data['namespace']}/{data['service']}",
            "type": f"{GROUP}.release.{message.news.about}",
            "subject": message.release,
            "time": datetime.fromtimestamp(message.news.at, UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        kind = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
        post(self._where, self._channel.path, self._channel.timeout, event, kind)
        return thread


class Webhook(Carrier):
    """JSON as the policy has it."""

    def __init__(self, channel: WebhookChannel, where: Address) -> None:
        self._channel, self._where = channel, where

    def send(self, message: Message, thread: str) -> str:
        """See `Carrier.send`."""
        body = filled(self._channel.body, message.fields)
        path = filled(self._channel.path, _quoted(message.fields))
        key = {"Idempotency-Key": f"{message.release}:{message.news.key}"}
        post(self._where, path, self._channel.timeout, body, key)
        return thread


class Teams(Carrier):
    """An adaptive card by a workflow ("when a Teams webhook request is received"). It can't answer in a thread."""

    def __init__(self, channel: TeamsChannel, where: Address) -> None:
        self._channel, self._where = channel, where

    def send(self, message: Message, thread: str) -> str:
        """See `Carrier.send`."""
        blocks: list[dict[str, Any]] = [
            {"type": "TextBlock", "text": message.title, "weight": "Bolder", "size": "Medium", "wrap": True,
             "color": COLOURS[message.tone]},
            *({"type": "TextBlock", "text": line, "wrap": True, "spacing": "Small"} for line in message.lines),
            {"type": "TextBlock", "text": f"{message.mention} {message.release}".strip(), "isSubtle": True, "wrap": True},
        ]  # fmt: skip
        open_ = [{"type": "Action.OpenUrl", "title": "Open the release", "url": message.link}] if message.link else []
        card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks, "actions": open_,
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json"}  # fmt: skip
        attached = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        post(self._where, "", self._channel.timeout, {"type": "message", "attachments": [attached]}, {})
        return thread


def _quoted(fields: dict[str, str]) -> dict[str, str]:
    from urllib.parse import quote

    return {name: quote(value, safe="") for name, value in fields.items()}
