"""What the operators of a release share."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from glidepath.release.run import Run

# States of a task that no person has ended; empty when Airflow can't say. One that is cleared while it runs is `restarting`.
GOES_ON = ("running", "deferred", "up_for_retry", "scheduled", "queued", "")


def release_id(context: Context) -> str:
    """The release's identity: its DAG and run."""
    return f"{context['dag'].dag_id}/{context['run_id']}"


def run_url(context: Context) -> str:
    """Where a person finds this run in Airflow's pages."""
    from urllib.parse import quote

    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{context['dag'].dag_id}/runs/{quote(context['run_id'], safe='')}"


class ReleaseOperator(BaseOperator):
    """A task of a release; `work` is what it does. What it needs to know is in the record, as `plan` froze it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._run: Run | None = None
        self._ti: Any = None

    def execute(self, context: Context) -> Any:
        """Do the work; see `final` for what is tried again."""
        with self.final(context):
            return self.work(context)

    @contextmanager
    def final(self, context: Context) -> Iterator[None]:
        """Errors that another try can't mend fail the task at once; all others are tried again as the DAG says.

        Why the task failed for good goes into the record, for whoever ends the release.
        """
        from airflow.sdk.exceptions import AirflowFailException

        from glidepath.errors import GlidepathError, PermanentError

        try:
            yield
        except PermanentError as error:
            self.log.error("%s", error)
            self._failed(error)
            raise AirflowFailException(str(error)) from error
        except GlidepathError as error:
            ti = context["ti"]
            if ti.try_number > ti.max_tries:
                self._failed(error)
            raise

    def _failed(self, error: Exception) -> None:
        from glidepath.release.abort import failed

        if self._run is not None:
            failed(self._run, self.task_id, error)

    def work(self, context: Context) -> Any:
        """What this task does."""
        raise NotImplementedError

    def run_of(self, context: Context) -> Run:
        """The release this task belongs to."""
        from glidepath.hooks.ports import load_run

        self._run, self._ti = load_run(release_id(context), self.log), context["ti"]
        return self._run

    def run_if_planned(self, context: Context) -> Run | None:
        """The release, or None when planning refused it and nothing was touched."""
        from glidepath.record import Record

        if Record().find(release_id(context)) is None:
            self.log.info("nothing was planned, so nothing was touched; nothing to settle")
            return None
        return self.run_of(context)

    def on_kill(self) -> None:
        """A task of a running release that a person ended pulls the brake.

        Airflow calls it at each signal to end, and when the task's time is over. While Airflow has the task as running, or is
        about to try it again, nobody has acted on it: its worker ends, or was stopped for long; the guard watches on. When
        Airflow can't say, it is away, and its workers end their tasks for that: of a person's word they learn from Airflow.
        One that was given all the same is followed by the run's last tasks.
        """
        if self._run is None:
            return
        from glidepath.hooks.ports import load_run
        from glidepath.release.abort import abort
        from glidepath.triggers.places import task_state

        log = logging.getLogger("airflow.task")
        state = task_state(self._ti)
        if state in GOES_ON:
            log.warning(
                "task %s is told to end; Airflow has it as %s: no word of a person", self.task_id, state or "unknown"
            )
            return
        run = load_run(self._run.id, log)
        abort(run, f"task {self.task_id} was killed")
