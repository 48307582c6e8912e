"""The operators of a fleet: one begins a release's run and waits for its end, without a worker slot."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import DagIsPaused, TriggerDagRunOperator
from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

POLL_S = 5
# Of the fleet's parameters, those that every release gets as they are.
PASSED = ("dry_run", "override_freeze")


class ReleaseInFleetOperator(TriggerDagRunOperator):
    """Releases one service of a fleet, unless one of the fleet's releases before it was not promoted.

    A try after the first finds the run that was begun, and waits for that.

    Args:
        release: The name of its policy.
        trigger_dag_id: Its release DAG.
        fleet: The release DAGs of the whole fleet.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, release: str, trigger_dag_id: str, fleet: Sequence[str], **kwargs: Any) -> None:
        super().__init__(
            trigger_dag_id=trigger_dag_id, logical_date=None, wait_for_completion=True, deferrable=True, poke_interval=POLL_S,
            fail_when_dag_is_paused=True, openlineage_inject_parent_info=False, **kwargs,
        )  # fmt: skip
        self.release, self.fleet = release, tuple(fleet)

    def execute(self, context: Context) -> None:
        """Begin the release, or wait for the one that was begun.

        Raises:
            AirflowFailException: Another release of the fleet was not promoted, or its DAG is paused: it is not begun.
        """
        from airflow.providers.standard.triggers.external_task import DagStateTrigger
        from airflow.sdk.exceptions import AirflowFailException

        ti = context["ti"]
        self.trigger_run_id = run_id = f"{self.dag_id}__{context['run_id']}"
        if run_state(ti, self.trigger_dag_id, run_id) is not None:
            self.log.info("%s: its run %s is there, and waited for", self.release, run_id)
            trigger = DagStateTrigger(
                dag_id=self.trigger_dag_id,
                states=[*self.allowed_states, *self.failed_states],
                run_ids=[run_id],
                poll_interval=POLL_S,
            )
            self.defer(trigger=trigger, method_name="execute_complete")
        ended = [dag for dag in self.fleet if run_state(ti, dag, run_id) == "failed"]
        if ended:
            raise AirflowFailException(
                f"{self.release} is not released: {', '.join(ended)} of this fleet was not promoted (run {run_id} says why)"
            )
        self.conf = asked(self.release, context["params"])
        try:
            super().execute(context)
        except DagIsPaused as error:  # it would begin no task, and be waited for for ever
            raise AirflowFailException(
                f"{self.release} is not released: {error}; switch it on, then clear this task"
            ) from error


class RefusedOperator(BaseOperator):
    """The one task of a fleet that is not valid: it fails, and says why."""

    def __init__(self, *, why: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.why = why

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's call
        """Say it."""
        from airflow.sdk.exceptions import AirflowFailException

        raise AirflowFailException(f"nothing was released:\n{self.why}")


def asked(release: str, params: Any) -> dict[str, Any]:
    """What a release of a fleet is begun with: its own version, or that of all; and what all are begun with."""
    version = (params.get("versions") or {}).get(release) or params.get("version")
    conf = {name: params[name] for name in PASSED if params.get(name)}
    return conf | ({"version": version} if version else {})


def run_state(ti: RuntimeTaskInstanceProtocol, dag_id: str, run_id: str) -> str | None:
    """The state of a run; None when there is none.

    Raises:
        AirflowRuntimeError: Airflow can't say.
    """
    from airflow.sdk.exceptions import AirflowRuntimeError

    try:
        return str(ti.get_dagrun_state(dag_id, run_id))
    except AirflowRuntimeError as error:
        if (error.error.detail or {}).get("status_code") == HTTPStatus.NOT_FOUND:
            return None
        raise
