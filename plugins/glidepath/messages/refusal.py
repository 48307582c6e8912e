"""The message of a release that was refused before it was planned: it has no journal, and so no news."""

from __future__ import annotations

import time
from itertools import count

from glidepath.handover.secrets import hidden
from glidepath.messages.message import STATUSES, Message
from glidepath.messages.news import News
from glidepath.messages.outbox import FACTOR, PAUSE_S
from glidepath.messages.port import Carrier
from glidepath.policy import Policy
from glidepath.policy.messages import safe
from glidepath.status.form import State, Tone

# Of a reason so much is told, characters; all of it is in the log. Of a version, which may be anything here: a tag's most.
MOST_REASON, MOST_VERSION = 600, 128


def refusal(policy: Policy, version: str, release: str, why: str, link: str, at: float) -> Message:
    """What is told of it. Nobody is called: nothing was touched.

    Args:
        policy: Whose release it would have been.
        version: What was asked for, valid or not; empty where nothing was.
        release: What it would have been called in the record.
        why: The reason, which may be any exception's; known credentials in it are hidden.
        link: The run's page in Airflow; empty for none.
        at: When, epoch seconds.
    """
    version = safe(version)[:MOST_VERSION]
    what = safe(f"{policy.service} {version}")
    title = f"{State.REFUSED}: {what} in {policy.namespace}"
    reason = _short(safe(hidden(why)))
    lines = [
        reason,
        *([] if "othing was touched" in reason else ["Nothing was touched"]),
        *([f"Run: {link}"] if link else []),
    ]
    same = {
        "about": "ended", "state": str(State.REFUSED), "sentence": reason, "service": policy.service,
        "namespace": policy.namespace, "stable": "", "canary": version, "release": release, "link": link,
    }  # fmt: skip
    counted = {"weight": 0, "step": 0, "steps": len(policy.steps)}
    return Message(
        news=News(f"refused-{at:.0f}", "ended", at, reason),  # a plan that is cleared may be refused again
        release=release,
        title=title,
        lines=tuple(lines),
        mention="",
        link=link,
        tone=Tone.CALM,
        fields=same
        | {name: str(value) for name, value in counted.items()}
        | {"sentence": reason[:140], "text": title, "status": STATUSES[State.REFUSED], "version": version},
        data=same
        | counted
        | {"phase": "refused", "exposure": [], "metrics": [], "coming": [], "actions": [], "grafana": ""},
    )


def _short(reason: str) -> str:
    return reason if len(reason) <= MOST_REASON else f"{reason[:MOST_REASON]} ..."


def send(carrier: Carrier, message: Message, tries: int, until: float, pause_s: float = PAUSE_S) -> str:
    """Send a message, again while that may help and there is time; what came of it, empty when it was taken.

    Args:
        carrier: What carries it.
        message: What is told.
        tries: At most.
        until: No try begins after it, by `time.monotonic`.
        pause_s: Before the second; before each further one four times as long, seconds.
    """
    for attempt in count(1):
        pause = pause_s * FACTOR ** (attempt - 1)
        try:
            carrier.send(message, "")
        except Exception as error:  # one that nobody thought of, too, is no more than a message that was not sent
            may_pass = getattr(error, "may_pass", False) and attempt < tries
            if not may_pass or time.monotonic() + pause > until:
                return f"try {attempt} of {tries} failed: {error}"
        else:
            return ""
        time.sleep(pause)
    raise AssertionError("unreachable")
