"""Slack by a bot: `chat.postMessage`, a thread a release. https://docs.slack.dev/reference/methods/chat.postMessage."""

from __future__ import annotations

import json
from typing import Any

from glidepath.errors import MessageError
from glidepath.messages.message import Message
from glidepath.messages.port import Address, Carrier, post
from glidepath.policy.messages import SlackChannel

# Slack answers with the whole message.
MOST = 65536
# Errors of Slack's that another try may not meet.
MAY_PASS = ("ratelimited", "rate_limited", "service_unavailable", "internal_error", "fatal_error", "request_timeout")
# Of these the channel itself is told, too, not only who follows the thread.
ALOUD = ("asks", "back", "ended")


class Slack(Carrier):
    """Posts to a channel; later messages of a release answer to its first."""

    def __init__(self, channel: SlackChannel, where: Address) -> None:
        self._channel, self._where = channel, where

    def send(self, message: Message, thread: str) -> str:
        """See `Carrier.send`."""
        head, *rest = message.lines
        text = "\n".join([f"*{_plain(message.title)}*", _plain(head), *(_plain(line) for line in rest)])
        body: dict[str, Any] = {
            "channel": self._channel.channel,
            "text": f"{message.mention} {text}".strip(),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread:
            body |= {"thread_ts": thread, "reply_broadcast": message.news.about in ALOUD}
        reply = post(self._where, "/chat.postMessage", self._channel.timeout, body, {}, MOST)
        try:
            answer = json.loads(reply)
        except ValueError as error:
            raise MessageError(f"Slack answered what is no JSON: {reply[:100]!r}") from error
        if not answer.get("ok"):
            why = str(answer.get("error"))
            raise MessageError(f"Slack refused: {why}", why in MAY_PASS)
        return thread or str(answer.get("ts") or "")


def _plain(text: str) -> str:
    """A text in which Slack sees no mark-up: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
