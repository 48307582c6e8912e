"""A message: the verdict first, what decided it with its numbers, exposure, weights now, who must act by when, links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from glidepath.messages.news import News
from glidepath.policy.messages import safe
from glidepath.status.form import State, Status, Tone
from glidepath.status.links import grafana
from glidepath.status.telling import clock

# Of a commit, as GitHub and GitLab call them, is one of these; `pending` while nothing is decided.
STATUSES = {State.PROMOTED: "success", State.ROLLED_BACK: "failure", State.REFUSED: "failure"}


@dataclass(frozen=True)
class Message:
    """What is told, in every form that a channel may want.

    Attributes:
        news: What it is about.
        release: The release's identity, and the same for the whole conversation.
        title: One line, the verdict first.
        lines: The rest, each a line of plain text.
        mention: Who is called; empty where nobody must act.
        link: The release's page; empty where Airflow has no address.
        tone: How it is coloured.
        fields: By name, for templates.
        data: All of it, for machines.
    """

    news: News
    release: str
    title: str
    lines: tuple[str, ...]
    mention: str
    link: str
    tone: Tone
    fields: dict[str, str]
    data: dict[str, Any]

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n".join([self.title, *self.lines])


def message(status: Status, news: News, link: str = "", mention: str = "") -> Message:
    """What is told of news, as the release stands now.

    Args:
        status: The release.
        news: What happened.
        link: Its page.
        mention: Who is called when somebody must act.
    """
    identity, banner = status.identity, status.banner
    title = safe(f"{banner.state}: {identity.service} {identity.stable} -> {identity.canary} in {identity.namespace}")
    acts = "approve" in status.actions
    return Message(
        news=news,
        release=identity.id,
        title=title,
        lines=tuple(_lines(status, link)),
        mention=mention if acts else "",
        link=link,
        tone=banner.tone,
        fields=_fields(status, news, link, title),
        data=_data(status, news, link),
    )


def weight(status: Status) -> int:
    """Percent of the requests that the canary has now."""
    return status.weights[-1].weight if status.weights else 0


def _lines(status: Status, link: str) -> Iterator[str]:
    identity = status.identity
    yield status.banner.sentence
    now = weight(status)
    step = f"; step {identity.step} of {identity.steps}" if identity.step and identity.ended is None else ""
    yield f"Traffic now: {identity.canary} {now} %, {identity.stable} {100 - now} %{step}"
    if status.exposure:
        exposure = ", ".join(
            f"{arm.version} {arm.requests:,} requests, {arm.errors:,} failed" for arm in status.exposure
        )
        yield f"Exposure: {exposure}"
    if act := _act(status):
        yield act
    if link:
        yield f"Release: {link}"
    if board := grafana(status):
        yield f"Grafana: {board}"
    if status.banner.state is not State.WAITING and status.take_back:
        yield f"Take it back: {status.take_back}"


def _act(status: Status) -> str:
    """Who must do what until when; or what comes by itself."""
    coming = status.coming[0] if status.coming else None
    if coming is None:
        return ""
    at = f" at {clock(coming.at)}" if coming.at is not None else ""
    if "approve" in status.actions:
        return f"Somebody must approve or reject, with a reason;{at or ' soon'} it is {coming.what}"
    return f"Nobody needs to act. Next{at}: {coming.what}"


def _fields(status: Status, news: News, link: str, title: str) -> dict[str, str]:
    identity = status.identity
    image = identity.policy.get("tag") or identity.canary
    return {
        "about": news.about, "state": str(status.banner.state), "status": STATUSES.get(status.banner.state, "pending"),
        # GitHub refuses a longer description of a status.
        "sentence": status.banner.sentence[:140], "text": title, "service": identity.service, "namespace": identity.namespace,
        "stable": identity.stable, "canary": identity.canary, "release": identity.id, "weight": str(weight(status)),
        "step": str(identity.step), "steps": str(identity.steps), "link": link, "version": str(image),
    }  # fmt: skip


def _data(status: Status, news: News, link: str) -> dict[str, Any]:
    identity = status.identity
    values = status.to_dict()
    return {
        "about": news.about, "state": str(status.banner.state), "sentence": status.banner.sentence, "service": identity.service,
        "namespace": identity.namespace, "stable": identity.stable, "canary": identity.canary, "release": identity.id,
        "phase": identity.phase, "step": identity.step, "steps": identity.steps, "weight": weight(status), "exposure": values["exposure"],
        "metrics": [{name: metric[name] for name in METRIC} for metric in values["metrics"]], "coming": values["coming"],
        "actions": status.actions, "link": link, "grafana": grafana(status),
    }  # fmt: skip


METRIC = ("name", "role", "unit", "answer", "stable", "canary", "effect", "low", "high", "limit", "safe_limit")
