"""What a policy says of messages: who is told what of a release, and where. Secrets are in Airflow's connections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import Template
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from glidepath.policy.fields import ConnId, Duration, Form

# What happens in a release that people are told of.
About = Literal["begun", "step", "asks", "word", "back", "observing", "ended"]
ABOUT: tuple[About, ...] = ("begun", "step", "asks", "word", "back", "observing", "ended")
# What a template of a webhook may name.
FIELDS = (
    "about", "state", "status", "sentence", "text", "service", "namespace", "stable", "canary", "release", "weight", "step",
    "steps", "link", "version",
)  # fmt: skip
# Channels of one policy at most: each takes a thread while a message is sent.
MOST = 8
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
Mail = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")]


class _Channel(Form):
    """What all channels have."""

    connection: ConnId = Field(description="Airflow's connection: address and secrets.")
    about: tuple[About, ...] = Field(
        ABOUT, min_length=1, description="What it is told of: begun, step, asks, word, back, observing, ended."
    )
    mention: str = Field(
        "", max_length=200, description="Who is called when a person must act, such as <!subteam^S0123> or @oncall."
    )
    timeout: Annotated[Duration, Field(le=30)] = Field(5.0, description="Of one try.")
    tries: Annotated[int, Field(ge=1, le=5, strict=True)] = Field(
        4, description="How often a message is tried at most."
    )


class SlackChannel(_Channel):
    """A bot in a channel of Slack's: a thread a release."""

    to: Literal["slack"]
    channel: Line = Field(description="Its name, such as #releases, or its id.")


class TeamsChannel(_Channel):
    """A workflow of Microsoft Teams that posts an adaptive card."""

    to: Literal["teams"]


class EmailChannel(_Channel):
    """Mail by SMTP: a conversation a release."""

    to: Literal["email"]
    sender: Mail
    addresses: tuple[Mail, ...] = Field(min_length=1, max_length=20)


class EventsChannel(_Channel):
    """CloudEvents over HTTP, for machines: all of them, in order."""

    to: Literal["cloudevents"]
    path: Annotated[str, Field(pattern=r"^(/[^\s?#]*)?$", max_length=500)] = ""


class WebhookChannel(_Channel):
    """Any service that takes JSON: the status of a commit, a chat of another kind."""

    to: Literal["webhook"]
    path: Line = Field("", description="Below the connection's; a template like the body.")
    body: dict[str, Any] = Field(description="JSON in whose texts $state, ${service} and so on are filled in.")

    @field_validator("path")
    @classmethod
    def _is_path(cls, path: str) -> str:
        if path and not path.startswith("/"):
            raise ValueError("expected a path that begins with /, such as /repos/acme/prices/statuses/$version")
        return path

    @model_validator(mode="after")
    def _names_are_known(self) -> WebhookChannel:
        for text in texts([self.path, self.body]):
            template = Template(text)
            unknown = [name for name in template.get_identifiers() if name not in FIELDS]
            if not template.is_valid() or unknown:
                raise ValueError(
                    f"{text!r} names {', '.join(unknown) or 'nothing after a $'}; expected {', '.join(FIELDS)}, and $$ for a $"
                )
        return self


Channel = Annotated[
    SlackChannel | TeamsChannel | EmailChannel | EventsChannel | WebhookChannel, Field(discriminator="to")
]
Messages = Annotated[tuple[Channel, ...], Field(max_length=MOST)]


def texts(node: Any) -> list[str]:
    """All texts in JSON, those of keys left out."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for child in node.values() for text in texts(child)]
    return [text for child in node for text in texts(child)] if isinstance(node, list | tuple) else []


def filled(node: Any, fields: dict[str, str]) -> Any:
    """JSON with its templates filled in: what is filled in stays text, whatever is in it."""
    if isinstance(node, str):
        return Template(node).safe_substitute(fields)
    if isinstance(node, dict):
        return {name: filled(child, fields) for name, child in node.items()}
    return [filled(child, fields) for child in node] if isinstance(node, list | tuple) else node


def names(channels: Sequence[Channel]) -> list[str]:
    """What the channels are called in the journal: kind and place, such as `slack-1`."""
    return [f"{channel.to}-{place}" for place, channel in enumerate(channels, 1)]


def safe(text: str) -> str:
    """A text in one line."""
    return re.sub(r"\s+", " ", text).strip()
