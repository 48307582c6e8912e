"""The operators of a release, in the order of its DAG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseBranchOperator

from glidepath.operators.base import ReleaseOperator, release_id, run_url
from glidepath.operators.queueing import WaitsForClaim

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

    from glidepath.policy import Policy
    from glidepath.triggers.events import Told

# Under this key `plan` tells `finish` why it failed. Where nothing stands there, it had no time to.
REFUSED = "refused"
ENDED = "its task `plan` was ended before it had planned: a person marked it, or its process was killed"


class BranchOperator(ReleaseOperator, BaseBranchOperator):
    """A task of a release that chooses the way."""

    def work(self, context: Context) -> Any:
        """Choose, and skip the other ways."""
        return self.do_branch(context, self.choose_branch(context))


class PlanOperator(WaitsForClaim, BranchOperator):
    """Validates, looks at the cluster, freezes the release; branches to `go` or, with nothing to release, to `stay`.

    When it fails `finish` tells people so, as the policy's messages say: also where a person marked this task as failed, and
    nothing of it ran.

    Args:
        policy_path: The policy's YAML file.
        go, stay, late: The tasks it branches to; `late` is that of a scheduled run that begins too late to release. `go` may
            be several.
        refused: Why nothing can be released by this policy; empty when something can.
    """

    def __init__(
        self, *, policy_path: str, go: str | list[str], stay: str, late: str, refused: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.policy_path, self.go, self.stay, self.late, self.refused = policy_path, go, stay, late, refused
        self._waited = False

    @contextmanager
    def final(self, context: Context) -> Iterator[None]:
        """As the base class; `finish` gets to know why it failed."""
        from airflow.sdk.exceptions import AirflowTaskTimeout

        from glidepath.operators.messages import why_refused

        try:
            with super().final(context):
                yield
        except (Exception, AirflowTaskTimeout) as error:
            try:
                context["ti"].xcom_push(key=REFUSED, value=why_refused(error))
            except Exception as lost:  # it is in the log
                self.log.warning("plan: finish is not told why: %s", lost)
            raise

    def resume(self, context: Context, event: Told, deadline: float) -> Any:
        """As the base class. Time that was spent waiting for another release does not count as being late."""
        self._waited = True
        return super().resume(context, event, deadline)

    def attempt(self, context: Context) -> Any:
        """Plan, and skip the other branch. A run that has waited plans only now: the stable version may have changed."""
        return self.do_branch(context, self.choose_branch(context))

    def policy(self, context: Context) -> Policy:  # noqa: ARG002 - its signature
        """The policy as its file has it now.

        Raises:
            PolicyError: It is not valid.
        """
        from pathlib import Path

        from glidepath.errors import PolicyError
        from glidepath.policy import load_policy

        if self.refused:
            raise PolicyError(f"nothing can be released by this policy, and nothing was touched:\n{self.refused}")
        return load_policy(Path(self.policy_path))

    def choose_branch(self, context: Context) -> str | list[str]:
        """The next task, or tasks."""
        from glidepath.errors import PreflightError, SetupError
        from glidepath.hooks.ports import ports_for
        from glidepath.operators.assets import parameters
        from glidepath.operators.late import LATE, too_late
        from glidepath.policy import for_run
        from glidepath.release.questions import TRAFFIC
        from glidepath.release.tasks.plan import plan

        policy = self.policy(context)
        if why := too_late(context, policy, self._waited):
            self.log.info("plan: %s", why)
            # Of a task that skips others Airflow keeps no return value.
            context["ti"].xcom_push(key=LATE, value=why)
            return self.late
        spec = for_run(policy, parameters(context))
        if TRAFFIC.about in spec.approval.before and not has_task(context, TRAFFIC.task):
            raise PreflightError(
                f"the policy has a person asked before the first requests, and this run has no task {TRAFFIC.task}: Airflow has not "
                "read the policy since it says so. Start the run again in a minute. Nothing was touched"
            )
        over = partial(run_over, context["ti"])
        try:
            planned = plan(release_id(context), spec, ports_for(spec), self.log.info, over=over)
        except SetupError as error:  # while nothing is touched, nobody is kept waiting for a person
            raise PreflightError(f"{error}. Nothing was touched") from error
        return self.go if planned else self.stay


def has_task(context: Context, task_id: str) -> bool:
    """Whether Airflow has a task in this run, whose DAG may be older than the policy.

    Raises:
        AirflowRuntimeError: Airflow can't say.
    """
    ti = context["ti"]
    return bool(ti.get_ti_count(ti.dag_id, task_ids=[task_id], run_ids=[context["run_id"]]))


def run_over(ti: RuntimeTaskInstanceProtocol, release: str) -> bool:
    """Whether Airflow's run of a release has ended or is gone; False when Airflow can't say."""
    from airflow.sdk.exceptions import AirflowRuntimeError

    dag_id, _, run_id = release.partition("/")
    try:
        return ti.get_dagrun_state(dag_id, run_id) in ("success", "failed")
    except AirflowRuntimeError as error:
        return (error.error.detail or {}).get("status_code") == HTTPStatus.NOT_FOUND


class ClaimOperator(WaitsForClaim):
    """Takes the service for this release."""

    def attempt(self, context: Context) -> None:
        """See `glidepath.release.tasks.claim.claim`."""
        from glidepath.release.tasks.claim import claim

        claim(self.run_of(context), run_url(context))

    def policy(self, context: Context) -> Policy:
        """As it was planned with."""
        return self.run_of(context).spec


class DeployOperator(ReleaseOperator):
    """Deploys the canary with Helm and waits for its pods."""

    def work(self, context: Context) -> None:
        """See `glidepath.release.tasks.deploy.deploy`."""
        from glidepath.release.tasks.deploy import deploy

        deploy(self.run_of(context))


class ShiftOperator(ReleaseOperator):
    """Gives the canary the weight of a step."""

    def __init__(self, *, step: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step

    def work(self, context: Context) -> None:
        """See `glidepath.release.tasks.shift.shift`."""
        from glidepath.release.tasks.shift import shift

        shift(self.run_of(context), self.step)


class GateOperator(BranchOperator):
    """Branches on the guard's word: the next step, promote, rollback, or a person."""

    def __init__(
        self, *, step: int, next_step: str | None, promote: str, rollback: str, ask: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.step, self.next_step = step, next_step
        self.promote, self.rollback, self.ask = promote, rollback, ask

    def choose_branch(self, context: Context) -> str:
        """The task to go on with.

        Raises:
            ReleaseTakenBack: There is no word on this step.
        """
        from glidepath.errors import ReleaseTakenBack
        from glidepath.release.phases import Decision

        word = self.run_of(context).journal.answer_on(self.step)
        if word is None:
            raise ReleaseTakenBack(f"the guard gave no word on step {self.step}; the release goes back to stable")
        answer, reason = word
        targets = {Decision.PROMOTE: self.promote, Decision.ROLLBACK: self.rollback, Decision.ASK: self.ask}
        target = targets.get(answer) or self.next_step
        assert target is not None
        self.log.info("gate: step %d: %s: %s", self.step, answer, reason)
        return target


class PromoteOperator(ReleaseOperator):
    """Makes the canary the stable version."""

    def work(self, context: Context) -> None:
        """See `glidepath.release.tasks.promote.promote`."""
        from glidepath.release.tasks.promote import promote

        promote(self.run_of(context))


class RollbackOperator(ReleaseOperator):
    """Takes the canary back."""

    def work(self, context: Context) -> None:
        """See `glidepath.release.tasks.rollback.rollback`."""
        from glidepath.release.tasks.rollback import rollback

        rollback(self.run_of(context))


class SettleOperator(ReleaseOperator):
    """Closes a release whose tasks failed on the way: on stable."""

    def work(self, context: Context) -> None:
        """See `glidepath.release.tasks.settle.settle`."""
        from glidepath.release.tasks.settle import settle

        run = self.run_if_planned(context)
        if run is not None:
            settle(run)


class FinishOperator(ReleaseOperator):
    """The teardown: makes safe, gives the claim back, and fails the run unless it promoted or there was nothing to do.

    Args:
        plan: The task that plans.
        policy_path: The policy's YAML file: it says who is told of a release that was not planned.
    """

    def __init__(self, *, plan: str, policy_path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan, self.policy_path = plan, policy_path

    def work(self, context: Context) -> None:
        """See `glidepath.release.tasks.finish.finish`. Then whoever is still untold how it ended is told."""
        from glidepath.errors import PreflightError
        from glidepath.operators.late import LATE
        from glidepath.operators.messages import tell_refused, tell_the_end
        from glidepath.release.tasks.finish import finish

        run = self.run_if_planned(context)
        if run is None:
            if why := context["ti"].xcom_pull(task_ids=self.plan, key=LATE):
                self.log.info("finish: %s", why)
                return
            why = context["ti"].xcom_pull(task_ids=self.plan, key=REFUSED)
            tell_refused(context, self.policy_path, why or ENDED)
            raise PreflightError(f"nothing was planned, so nothing was touched: {why or ENDED}")
        try:
            finish(run)
        finally:
            tell_the_end(run, context)
