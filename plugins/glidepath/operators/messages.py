"""The task that sends a release's messages. No other task waits for it, and it never fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from glidepath.operators.base import GOES_ON, release_id, run_url
from glidepath.operators.deferred import guard_limit

if TYPE_CHECKING:
    from airflow.sdk import Context

    from glidepath.messages.outbox import Outbox
    from glidepath.messages.port import Carrier
    from glidepath.policy import ReleaseSpec
    from glidepath.release.run import Run, Say
    from glidepath.triggers.events import Told

# What it is called in the DAG.
TASK = "messages"
# After the release's own limit messages that were not taken are tried for so long, seconds.
LATE_S = 600.0
# How long the last task of a release tells what this one could not, because a person ended the run, seconds.
LAST_S = 15.0
POLL_S = 0.2
# The page of a release, below that of its run.
PAGE = "/plugin/release"


class MessagesOperator(BaseOperator):
    """Defers to the trigger that sends messages."""

    def execute(self, context: Context) -> None:
        """Hand over to the triggerer; without messages in the policy, and without a release, there is nothing to do."""
        from glidepath.triggers.messages import MessagesTrigger

        try:
            spec = _spec(release_id(context))
        except Exception as error:  # what comes of the run is not for this task to say
            ti = context["ti"]
            if ti.try_number <= ti.max_tries:
                raise
            self.log.error("messages: nobody is told: %s", error)
            return
        if spec is None or not spec.messages:
            self.log.info("messages: the release is to tell nobody")
            return
        limit = guard_limit(spec) + timedelta(seconds=LATE_S)
        trigger = MessagesTrigger(release_id(context), page(context), time.time() + limit.total_seconds())
        self.defer(trigger=trigger, method_name="done", timeout=limit + timedelta(seconds=LATE_S))

    def done(self, context: Context, event: Told) -> None:  # noqa: ARG002 - Airflow calls it so
        """All is told, or given up: the timeline of the release says which."""
        self.log.info("messages: %s", event["status"])


def _spec(release: str) -> ReleaseSpec | None:
    from glidepath.policy import ReleaseSpec
    from glidepath.record import Record

    row = Record().find(release)
    return ReleaseSpec.from_dict(row.spec) if row else None


def page(context: Context) -> str:
    """The release's page in Airflow; empty where Airflow has no address."""
    url = run_url(context)
    return f"{url}{PAGE}" if "://" in url else ""


def tell_the_end(run: Run, context: Context) -> None:
    """Tell how a release ended where its task for messages does not: a person ended the run, and the task with it."""
    from types import SimpleNamespace

    from glidepath.triggers.places import task_state

    try:
        if not run.spec.messages or run.release.outcome is None:
            return
        ti = context["ti"]
        state = task_state(SimpleNamespace(dag_id=ti.dag_id, run_id=ti.run_id, task_id=TASK))
    except Exception as error:
        run.say(f"messages: nobody is told: {error}")
        return
    if state not in GOES_ON or not state:
        last_words(run.id, page(context), run.say)


def why_refused(error: BaseException) -> str:
    """An error's words, without the secrets that Airflow hides in logs: a message leaves the house."""
    from airflow.sdk.log import redact  # type: ignore[attr-defined]  # the masker that this task's secrets were told to

    return str(redact(str(error))) or type(error).__name__


def tell_refused(context: Context, policy_path: str, why: str) -> None:
    """Tell that a release was not planned, as the last task of the run: there is no record of it to tell from.

    A dry run's nobody is told, nor one of a policy that can't be read; whatever goes wrong is logged, no more.
    """
    log = logging.getLogger("airflow.task")
    from glidepath.operators.assets import parameters

    try:
        asked = parameters(context)
        if asked.get("dry_run") or _spec(release_id(context)) is not None:
            return  # what is in the record, the last task tells
        _refused(context, asked, policy_path, why, log.info)
    except Exception as error:
        log.info("messages: nobody is told: %s", error)


def _refused(context: Context, asked: Mapping[str, Any], policy_path: str, why: str, say: Say) -> None:
    from glidepath.hooks.messages import carriers
    from glidepath.messages.refusal import refusal, send
    from glidepath.policy import load_policy

    policy = load_policy(Path(policy_path))
    version = str(asked.get("version") or policy.version or "")
    message = refusal(policy, version, release_id(context), why, run_url(context), time.time())
    until = time.monotonic() + LAST_S

    def one(name: str, carrier: Carrier, tries: int) -> None:
        wrong = send(carrier, message, tries, until)
        hanging.discard(name)
        say(f"messages: {name}: {wrong or 'told that it was refused'}")

    channels = [given for given in carriers(policy.messages) if message.news.about in given[1].about]
    hanging = {name for name, _, _ in channels}
    _beside([partial(one, name, carrier, channel.tries) for name, channel, carrier in channels], until)
    for name in sorted(hanging):
        say(f"messages: {name}: has not answered within {LAST_S:g} s; no longer waited for")


def last_words(release: str, link: str, say: Say, within_s: float = LAST_S) -> None:
    """Tell what is untold of a release that is over, for so long at most; whatever goes wrong is logged, no more.

    Of what another process is just sending, nothing is sent.
    """
    from glidepath.hooks.messages import outboxes

    try:
        boxes = outboxes(release, link, say)
    except Exception as error:
        say(f"messages: nobody is told: {error}")
        return
    until = time.monotonic() + within_s
    _beside([partial(_rest, box, until, say) for box in boxes], until)


def _beside(works: Iterable[Callable[[], None]], until: float) -> None:
    """Do all at once, and wait for them no longer than `until`, by `time.monotonic`."""
    threads = [threading.Thread(target=work, name="glidepath-messages", daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _rest(box: Outbox, until: float, say: Say) -> None:
    """Deliver until there is nothing more, or the time is over."""
    try:
        while not box.over and time.monotonic() < until:
            due = box.deliver()
            if due is None or due - time.time() > until - time.monotonic():
                return
            time.sleep(POLL_S)
    except Exception as error:
        say(f"messages: {box.name}: not told: {error}")
