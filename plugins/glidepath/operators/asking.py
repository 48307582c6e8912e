"""The operator that asks a person, by Airflow's required actions: with what is known, for as long as the policy says."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator

from glidepath.operators.base import release_id
from glidepath.release.questions import BACK, PROMOTION, QUESTIONS, TRAFFIC

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context

    from glidepath.release.people import Questioned
    from glidepath.release.run import Run
    from glidepath.triggers.answer import AnswerTrigger


class AskOperator(HITLBranchOperator):
    """Asks a question of the release; who answers what is written into its record.

    What may be answered by whom, until when, and what holds if nobody does is the policy's, as `plan` froze it.

    Args:
        about: What it is asked before: `traffic` or `promotion`.
        go: The task that follows when the answer is yes.
        subject, body: What people read beside what the release adds.
    """

    def __init__(self, *, about: str, go: str, subject: str, body: str, **kwargs: Any) -> None:
        question = QUESTIONS[about]
        options = [question.yes, BACK]
        super().__init__(
            subject=subject, body=body, options=options, defaults=[BACK], options_mapping={question.yes: go}, **kwargs
        )
        self.question = question

    def execute(self, context: Context) -> Any:
        """Ask, and wait without a worker slot, until somebody answers, the time is over, or the release goes back.

        A try after the first does not ask anew: Airflow would forget what was answered meanwhile.

        Raises:
            RecordError: The release can't be read, or the question can't be written down; tried again.
        """
        from airflow.sdk.timezone import utcnow

        run, about = self.run_of(context), self.question.about
        if self.question is TRAFFIC and about not in run.spec.approval.before:
            self.log.info("%s: by this release's policy nobody is asked", self.task_id)
            return self._go(context, self.question.yes, utcnow())
        if (answered := run.journal.answer(about)) is not None:
            return self._go(context, answered.answer, utcnow())
        asked = run.journal.question(about) or self._ask(run, context)
        self.defaults = [asked.unanswered]
        return self.defer(trigger=self._trigger(run, context, asked), method_name="execute_complete")

    def _go(self, context: Context, answer: str, at: datetime) -> Any:
        """Go the way of an answer that is known."""
        known = {"chosen_options": [answer], "params_input": {}, "responded_at": at, "responded_by_user": None}
        return super().execute_complete(context, known)

    def _ask(self, run: Run, context: Context) -> Questioned:
        """Have Airflow ask, and write down that it does."""
        from airflow.sdk.exceptions import TaskAwaitingInput

        from glidepath.release.people import Questioned

        approval = run.spec.approval
        self.subject, told, unanswered = _before_traffic(run) if self.question is TRAFFIC else _before_promotion(run)
        self.defaults = [unanswered]
        self.assigned_users = [{"id": user, "name": user} for user in approval.by] or None
        self.response_timeout = timedelta(seconds=approval.timeout)
        end = "it goes back" if unanswered == BACK else "it is promoted"
        self.body = f"{told}\n\nIf nobody answers, {end}.\n\n{self.body}"
        with suppress(TaskAwaitingInput):  # the question is asked; Airflow would wait for an answer only
            super().execute(context)
        # After it: what is written down has been asked.
        question = Questioned(run.now() + approval.timeout, unanswered, list(approval.by), self.question.about)
        run.note(question)
        return question

    def _trigger(self, run: Run, context: Context, asked: Questioned) -> AnswerTrigger:
        from airflow.sdk.timezone import utcnow

        from glidepath.triggers.answer import AnswerTrigger

        return AnswerTrigger(
            release_id=run.id, unasked=BACK, ti_id=context["task_instance"].id, options=self.options,
            params=self.serialized_params, defaults=self.defaults,
            timeout_datetime=utcnow() + timedelta(seconds=max(asked.until - run.now(), 0)),
        )  # fmt: skip

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Write down who answered what, and go that way.

        Raises:
            RecordError: The answer that gives a canary its first requests can't be written down; tried again.
        """
        from glidepath.errors import RecordError
        from glidepath.release.people import Answered

        chosen = event.get("chosen_options") or []
        if chosen:
            by = event.get("responded_by_user") or {}
            who = str(by.get("name") or by.get("id") or "")
            self.log.info("%s: %s: %s", self.task_id, who or "nobody answered", chosen[0])
            try:
                self.run_of(context).note(Answered(str(chosen[0]), who, self.question.about))
            except RecordError as error:  # an answer that is not written down is followed all the same
                if chosen[0] == TRAFFIC.yes:  # but for one that the first weight needs
                    raise
                self.log.error("%s: the answer could not be written down: %s", self.task_id, error)
        return super().execute_complete(context, event)

    def run_of(self, context: Context) -> Run:
        """The release that this task belongs to."""
        from glidepath.hooks.ports import load_run

        return load_run(release_id(context), self.log)


def _before_traffic(run: Run) -> tuple[str, str, str]:
    """What is asked before the first requests: the subject, what is known, and the answer if there is none."""
    first = run.spec.steps[0]
    told = (
        f"The pods of {run.canary} are ready, and it has no requests. It would get {first.weight} %, be judged beside {run.stable} at "
        "every scrape, and go back by itself if harm is proven."
    )
    return f"{run.spec.service}: give {run.canary} its first {first.weight} % of the requests?", told, BACK


def _before_promotion(run: Run) -> tuple[str, str, str]:
    """What is asked before a promotion, with the numbers of the newest look."""
    from glidepath.judge import Look
    from glidepath.text.lines import metric_line

    word = next(reversed(run.journal.words()), None)
    newest = run.ports.record.last_look(run.id)
    proven = word is not None and word.proven
    lines = [f"{word.reason if word else ''}.", "", "Nothing was looked at yet."]
    if newest:
        look = Look.from_dict(newest)
        counts = f"{look.canary_requests} requests to {run.canary}, {look.stable_requests} to {run.stable}"
        lines[2:] = [
            f"At {look.weight} %: {counts}.",
            "",
            *(f"- {metric_line(metric)}" for metric in look.metrics),
        ]
    is_proven = "is" if proven else "is not"
    subject = f"{run.spec.service}: promote {run.canary}, which {is_proven} proven comparable?"
    return subject, "\n".join(lines), PROMOTION.yes if proven and run.spec.approval.unanswered == "approve" else BACK
