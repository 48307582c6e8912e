"""The operator that asks a person, by Airflow's required actions: with the evidence, for as long as the policy says."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator

from glidepath.operators.base import release_id

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context

    from glidepath.release.people import Answered, Questioned
    from glidepath.release.run import Run
    from glidepath.triggers.answer import AnswerTrigger

PROMOTE, ROLLBACK = "promote", "rollback"


class AskOperator(HITLBranchOperator):
    """Asks whether a canary is to be promoted; who answers what is written into the release's record.

    What may be answered by whom, until when, and what holds if nobody does is the policy's, as `plan` froze it.
    """

    def __init__(self, *, subject: str, body: str, **kwargs: Any) -> None:
        super().__init__(subject=subject, body=body, options=[PROMOTE, ROLLBACK], defaults=[ROLLBACK], **kwargs)

    def execute(self, context: Context) -> Any:
        """Ask, and wait without a worker slot, until somebody answers, the time is over, or the release goes back.

        A try after the first does not ask anew: Airflow would forget what was answered meanwhile.

        Raises:
            RecordError: The release can't be read, or the question can't be written down; tried again.
        """
        from airflow.sdk.timezone import utcnow

        run = self.run_of(context)
        if (answered := run.journal.answer()) is not None:
            return super().execute_complete(context, _as_event(answered, utcnow()))
        asked = run.journal.question() or self._ask(run, context)
        self.defaults = [asked.unanswered]
        return self.defer(trigger=self._trigger(run, context, asked), method_name="execute_complete")

    def _ask(self, run: Run, context: Context) -> Questioned:
        """Have Airflow ask, and write down that it does."""
        from airflow.sdk.exceptions import TaskAwaitingInput

        from glidepath.release.people import Questioned

        approval, words = run.spec.approval, run.journal.words()
        last = words[-1] if words else None
        proven = last is not None and last.proven
        self.defaults = [PROMOTE if proven and approval.unanswered == "approve" else ROLLBACK]
        self.assigned_users = [{"id": user, "name": user} for user in approval.by] or None
        self.response_timeout = timedelta(seconds=approval.timeout)
        self.subject = (
            f"{run.spec.service}: promote {run.canary}, which {'is' if proven else 'is not'} proven comparable?"
        )
        self.body = f"{_told(run, last.reason if last else '', self.defaults[0])}\n\n{self.body}"
        with suppress(TaskAwaitingInput):  # the question is asked; Airflow would wait for an answer only
            super().execute(context)
        # After it: what is written down has been asked.
        question = Questioned(run.now() + approval.timeout, self.defaults[0], list(approval.by))
        run.note(question)
        return question

    def _trigger(self, run: Run, context: Context, asked: Questioned) -> AnswerTrigger:
        from airflow.sdk.timezone import utcnow

        from glidepath.triggers.answer import AnswerTrigger

        return AnswerTrigger(
            release_id=run.id, unasked=ROLLBACK, ti_id=context["task_instance"].id, options=self.options,
            params=self.serialized_params, defaults=self.defaults,
            timeout_datetime=utcnow() + timedelta(seconds=max(asked.until - run.now(), 0)),
        )  # fmt: skip

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Write down who answered what, and go that way."""
        from glidepath.errors import RecordError
        from glidepath.release.people import Answered

        chosen = event.get("chosen_options") or []
        if chosen:
            by = event.get("responded_by_user") or {}
            who = str(by.get("name") or by.get("id") or "")
            self.log.info("ask: %s: %s", who or "nobody answered", chosen[0])
            try:
                self.run_of(context).note(Answered(str(chosen[0]), who))
            except RecordError as error:  # an answer that is not written down is followed all the same
                self.log.error("ask: the answer could not be written down: %s", error)
        return super().execute_complete(context, event)

    def run_of(self, context: Context) -> Run:
        """The release that this task belongs to."""
        from glidepath.hooks.ports import load_run

        return load_run(release_id(context), self.log)


def _as_event(answered: Answered, at: datetime) -> dict[str, Any]:
    """An answer of an earlier try, as Airflow hands one over."""
    by = {"id": answered.who, "name": answered.who} if answered.who else None
    return {"chosen_options": [answered.answer], "params_input": {}, "responded_at": at, "responded_by_user": by}


def _told(run: Run, reason: str, unanswered: str) -> str:
    """Why a person is asked, and the newest look, in Markdown."""
    from glidepath.judge import Look
    from glidepath.release import words

    newest = run.ports.record.last_look(run.id)
    look = Look.from_dict(newest) if newest else None
    lines = [f"- {words.metric_line(metric)}" for metric in look.metrics] if look else []
    seen = (
        [
            f"At {look.weight} %: {look.canary_requests} requests to {run.canary}, {look.stable_requests} to {run.stable}."
        ]
        if look
        else ["Nothing was looked at yet."]
    )
    end = "it is promoted" if unanswered == PROMOTE else "it goes back"
    return "\n".join([f"{reason}.", "", *seen, "", *lines, "", f"If nobody answers, {end}."])
