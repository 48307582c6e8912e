"""The operators that wait without a worker slot: the guard, the bakes, and the observation after a promotion."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from glidepath.operators.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from glidepath.policy import ReleaseSpec
    from glidepath.release.run import Run
    from glidepath.triggers.events import Told

# Beyond the policy's own deadline, which the guard keeps: only a guard that died lets these run out.
GRACE_S = 120.0
# How long a person who is asked may take to answer, where the DAG is built of no policy; else `approval.timeout`.
ANSWER = timedelta(hours=1)
# What the last tasks may take, beside twice the policy's deploy_timeout: their execution_timeout.
ENDING = timedelta(minutes=15)


class GuardOperator(ReleaseOperator):
    """Defers to the trigger that looks and judges until the release is closed."""

    def work(self, context: Context) -> None:
        """Hand over to the triggerer."""
        from glidepath.triggers.guard import GuardTrigger

        run = self.run_of(context)
        if run.ended():
            return
        self.log.info("guard: watching %s %s against %s until the release ends", *_versions(run))
        trigger = GuardTrigger(run.id)
        self.defer(trigger=trigger, method_name="done", timeout=guard_limit(run.spec))

    def done(self, context: Context, event: Told) -> None:  # noqa: ARG002 - Airflow calls it so
        """The release is closed, or the guard failed."""
        self.log.info("guard: %s", event["why"])
        if event["status"] != "closed":
            raise RuntimeError(f"the guard ended early: {event['why']}")


class BakeOperator(ReleaseOperator):
    """Waits, deferred, for the guard's word on a step."""

    def __init__(self, *, step: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step

    def work(self, context: Context) -> str | None:
        """Hand over to the triggerer, unless the word is there."""
        from glidepath.triggers.step import BakeTrigger

        run = self.run_of(context)
        word = run.journal.answer_on(self.step)
        if word is None and not run.ended():
            step = run.spec.steps[self.step - 1]
            self.log.info(
                "bake: step %d at %d %%: at least %.0f s and %d canary requests, judged at every scrape",
                self.step, step.weight, step.bake, step.min_requests,
            )  # fmt: skip
            trigger = BakeTrigger(release_id=run.id, step=self.step, silent_s=3 * run.spec.lease)
            self.defer(trigger=trigger, method_name="done", timeout=bake_limit(run.spec))
        return self._tell(run)

    def done(self, context: Context, event: Told) -> str | None:
        """The guard's word is there, or the guard is silent.

        Raises:
            ReleaseTakenBack: The guard is silent: unwatched traffic goes back to stable.
        """
        from glidepath.errors import ReleaseTakenBack
        from glidepath.release.abort import abort

        run = self.run_of(context)
        if event["status"] == "silent":
            abort(run, event["why"])
            with self.final(context):
                raise ReleaseTakenBack(event["why"])
        return self._tell(run)

    def _tell(self, run: Run) -> str | None:
        from glidepath.judge import Look
        from glidepath.text import lines

        look = run.ports.record.last_look(run.id)
        if look:
            self.log.info("%s", lines.look_line(Look.from_dict(look), "bake: newest look"))
        word = run.journal.answer_on(self.step)
        if word is None:
            return None
        self.log.info("bake: step %d: the guard's word: %s: %s", self.step, *word)
        return str(word[0])


class ObserveOperator(ReleaseOperator):
    """After a promotion with an observation: waits, deferred, for its end, then has the old version removed."""

    def work(self, context: Context) -> None:
        """Hand over to the triggerer, unless there is no observation, or its word is there."""
        from glidepath.release.observation import observation
        from glidepath.release.tasks.observe import observe
        from glidepath.triggers.step import ObserveTrigger

        run = self.run_of(context)
        observed = observation(run.spec)
        if observed is None or run.ended():
            self.log.info("observe: the old version is not kept; nothing to wait for")
            return
        if run.journal.answer_on(observed.number) is None:
            self.log.info(
                "observe: %s has %d %%, %s stays warm for %.0f s and can have all traffic back within seconds: mark "
                "this task failed, or annotate the Lease", run.canary, observed.weight, run.stable, observed.warm_s,
            )  # fmt: skip
            trigger = ObserveTrigger(run.id, observed.number, 3 * run.spec.lease)
            self.defer(trigger=trigger, method_name="done", timeout=_observation(run.spec) + timedelta(seconds=GRACE_S))
        observe(run)

    def done(self, context: Context, event: Told) -> None:
        """the observation is over, the release was taken back, or the guard is silent.

        Raises:
            ReleaseTakenBack: It was taken back, or nobody looked: unwatched traffic goes back to stable.
        """
        from glidepath.errors import ReleaseTakenBack
        from glidepath.release.abort import abort
        from glidepath.release.tasks.observe import observe

        run = self.run_of(context)
        with self.final(context):
            if event["status"] == "silent":
                abort(run, event["why"])
                raise ReleaseTakenBack(event["why"])
            observe(run)


def _versions(run: Run) -> tuple[str, str, str]:
    return run.spec.service, run.canary, run.stable


def bake_limit(spec: ReleaseSpec) -> timedelta:
    """How long a bake waits for the guard's word, which comes when `max_duration` is over at the latest."""
    return timedelta(seconds=spec.max_duration + GRACE_S)


def guard_limit(spec: ReleaseSpec) -> timedelta:
    """How long a guard watches: every time that the release may take, one after the other, and more."""
    asks = "hold" in (spec.on_undecided, spec.on_no_data.action) or "promotion" in spec.approval.before
    answers = (asks + ("traffic" in spec.approval.before)) * timedelta(seconds=spec.approval.timeout)
    ending = ENDING + timedelta(seconds=2 * spec.deploy_timeout)
    return 2 * bake_limit(spec) + answers + ending + _observation(spec)


def _observation(spec: ReleaseSpec) -> timedelta:
    """How long an observation after the promotion can last."""
    from glidepath.policy.model import OBSERVATION_FACTOR

    return timedelta(seconds=OBSERVATION_FACTOR * spec.after_promotion.warm)
