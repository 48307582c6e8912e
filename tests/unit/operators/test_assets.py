"""What an event asks for, and the event of a promotion."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException

from glidepath.operators.assets import AnnounceOperator, parameters
from glidepath.release.phases import Phase
from tests.support.stage import Stage

STABLE = Asset("prices-stable")
DUE = datetime(2026, 11, 28, tzinfo=UTC)


def event(hour: int, **extra: object) -> SimpleNamespace:
    """An event of the asset that starts releases."""
    return SimpleNamespace(timestamp=DUE.replace(hour=hour), extra=extra)


def started(run_type: str, *events: SimpleNamespace) -> Any:
    """The context of a run."""
    found = {"triggering_asset_events": {Asset("prices-image"): list(events)}} if run_type == "asset_triggered" else {}
    return {"params": {"version": None, "bake": None}, "dag_run": SimpleNamespace(run_type=run_type), **found}


def test_the_newest_of_several_events_says_what_is_released() -> None:
    context = started("asset_triggered", event(3, version="v3", from_rest_api=True), event(1, version="v2", bake="90s"))
    assert parameters(context) == {"version": "v3", "bake": None}


@pytest.mark.parametrize("run_type", ["manual", "scheduled"])
def test_a_run_that_no_event_started_has_its_own_parameters(run_type: str) -> None:
    assert parameters(started(run_type)) == {"version": None, "bake": None}


def test_an_event_without_extra_leaves_the_policys_version() -> None:
    context = started("asset_triggered", SimpleNamespace(timestamp=DUE, extra=None))
    assert parameters(context)["version"] is None


class Events(list[Any]):
    """What Airflow has of an asset."""

    def after(self, _: str) -> Events:
        return self


def context(before: Events) -> Any:
    """That of the task that announces."""
    run = SimpleNamespace(run_after=DUE)
    outlet = {STABLE: SimpleNamespace(extra={})}
    return {
        "ti": SimpleNamespace(dag_id="dag"), "run_id": "run", "dag": SimpleNamespace(dag_id="dag"), "dag_run": run,
        "inlet_events": {STABLE: before}, "outlet_events": outlet,
    }  # fmt: skip


def announce(given: Any) -> dict[str, object]:
    """What the event has."""
    AnnounceOperator(task_id="announce", asset=STABLE).execute(given)
    return dict(given["outlet_events"][STABLE].extra)


@pytest.mark.parametrize("outcome", [None, Phase.ROLLED_BACK, Phase.DRY_RUN])
def test_what_was_not_promoted_is_not_announced(linked: Stage, outcome: Phase | None) -> None:
    run = linked.run()
    if outcome is not None:
        run.close(outcome, "so it is")
    with pytest.raises(AirflowSkipException, match="no promotion to announce"):
        announce(context(Events()))


def test_a_promotion_is_announced_by_its_run_once(linked: Stage) -> None:
    linked.run().close(Phase.PROMOTED, "proven")
    others = Events([SimpleNamespace(source_dag_id="dag", source_run_id="another")])
    assert announce(context(others)) == {
        "version": "v2", "stable": "v1", "service": "prices", "namespace": "shop", "release": "dag/run",
    }  # fmt: skip
    mine = Events([*others, SimpleNamespace(source_dag_id="dag", source_run_id="run")])
    with pytest.raises(AirflowSkipException, match="announced before"):
        announce(context(mine))
