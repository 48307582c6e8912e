"""Airflow's assets: what an event asks for that starts a release, and the event that a promotion makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from glidepath.operators.base import release_id

if TYPE_CHECKING:
    from airflow.sdk import Asset, Context

# What Airflow itself puts into an event's extra.
AIRFLOWS = ("from_rest_api", "from_trigger")


def parameters(context: Context) -> Mapping[str, Any]:
    """The run's parameters: those of its form, and over them the newest event's that started it, if one did."""
    params = dict(context["params"])
    run = context.get("dag_run")
    if run is None or run.run_type != "asset_triggered":
        return params
    asset_events = [event for events in (context.get("triggering_asset_events") or {}).values() for event in events]
    newest = max(asset_events, key=lambda event: event.timestamp, default=None)
    extra = dict(newest.extra or {}) if newest is not None else {}
    return params | {name: value for name, value in extra.items() if name not in AIRFLOWS}


class AnnounceOperator(BaseOperator):
    """Makes the event of a promotion that is final; of a run that made it before, none. Needs the record only, no cluster.

    Airflow keeps an event in the same transaction as this task's success. So one that died made none, and one that
    succeeded made one, which a try after it finds.

    Args:
        asset: Whose event.
    """

    def __init__(self, *, asset: Asset, **kwargs: Any) -> None:
        super().__init__(inlets=[asset], outlets=[asset], **kwargs)
        self.asset = asset

    def execute(self, context: Context) -> None:
        """Say what the event has; skip where there is nothing to announce.

        Raises:
            AirflowSkipException: The release was not promoted, or its event is there.
        """
        from airflow.sdk.exceptions import AirflowSkipException

        from glidepath.record import Record

        release = Record().get(release_id(context))
        if release.outcome != "promoted":
            raise AirflowSkipException(
                f"the release is {release.outcome or release.phase}: there is no promotion to announce"
            )
        mine = context["ti"].dag_id, context["run_id"]
        # Of a run that is cleared Airflow changes the start, not the time that it was due.
        made = context["inlet_events"][self.asset].after(context["dag_run"].run_after.isoformat())
        if any((event.source_dag_id, event.source_run_id) == mine for event in made):
            raise AirflowSkipException("this run's promotion was announced before")
        context["outlet_events"][self.asset].extra = {
            "version": release.canary, "stable": release.stable, "service": release.service, "namespace": release.namespace,
            "release": release.id,
        }  # fmt: skip
        self.log.info(
            "announce: %s of %s is promoted; DAGs that wait for %s follow",
            release.canary,
            release.service,
            self.asset.name,
        )
