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


def release_id(context: Context) -> str:
    """The release's identity: its DAG and run."""
    return f"{context['dag'].dag_id}/{context['run_id']}"


def run_url(context: Context) -> str:
    """Where a person finds this run in Airflow's pages."""
    from urllib.parse import quote

    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{context['dag'].dag_id}/runs/{quote(context['run_id'], safe='')}"


@contextmanager
def final() -> Iterator[None]:
    """Errors that another try can't mend fail the task at once; all others are tried again as the DAG says."""
    from airflow.sdk.exceptions import AirflowFailException

    from glidepath.errors import ClaimError, NotReadyError, PolicyError, PreflightError, ReleaseTakenBack

    try:
        yield
    except (PolicyError, PreflightError, ClaimError, NotReadyError, ReleaseTakenBack) as error:
        logging.getLogger("airflow.task").error("%s", error)
        raise AirflowFailException(str(error)) from error


class ReleaseOperator(BaseOperator):
    """A task of a release; `work` is what it does. What it needs to know is in the record, as `plan` froze it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._release_id: str | None = None

    def execute(self, context: Context) -> Any:
        """Do the work; see `final` for what is tried again."""
        with final():
            return self.work(context)

    def work(self, context: Context) -> Any:
        """What this task does."""
        raise NotImplementedError

    def run_of(self, context: Context) -> Run:
        """The release this task belongs to."""
        self._release_id = release_id(context)
        from glidepath.hooks.ports import load_run

        return load_run(self._release_id, self.log.info)

    def run_if_planned(self, context: Context) -> Run | None:
        """The release, or None when planning refused it and nothing was touched."""
        from glidepath.record import Record

        if Record().find(release_id(context)) is None:
            self.log.info("nothing was planned, so nothing was touched; nothing to settle")
            return None
        return self.run_of(context)

    def on_kill(self) -> None:
        """A killed task of a running release pulls the brake."""
        if self._release_id is None:
            return
        from glidepath.hooks.ports import load_run
        from glidepath.release.endings import abort

        log = logging.getLogger("airflow.task")
        run = load_run(self._release_id, log.info)
        abort(run, f"task {self.task_id} was killed")
