"""The catalogue of faults: what is broken, in which phases of a release, and what may follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.scene import Scene

Strike = Callable[[Scene], None]


@dataclass(frozen=True)
class Fault:
    """One way to break something.

    Attributes:
        name: As commands and tables call it.
        group: Where it stands in the table.
        what: What is done, in words.
        phases: In which phases it is done.
        strike: Does it, holds it as long as it takes, and mends what has to be mended.
        outage: Telemetry gives no evidence meanwhile: nothing may be promoted or blamed on it.
        callers_may_fail: The fault itself makes requests fail, whatever a release does.
        people: API users who write as part of the fault.
        ends: How a release of a good version may end; a harmful one has to be rolled back.
        says: What the release's reason has to say when it was struck while it had weight, and went back.
        run_lost: Airflow's run can't clean up any more: the next release has to.
        run_free: A person decided how Airflow's run ends.
        clock: Airflow runs with a clock that can be stepped.
        second: Airflow has a second triggerer, which is stopped until the fault lets it go on.
        dag_id: Another DAG than the usual one.
        again: The next release is played as well: it has to go through.
        longer_s: So much longer the run may take to clean up, seconds; traffic has to be safe as soon as ever.
    """

    name: str
    group: str
    what: str
    phases: tuple[str, ...]
    strike: Strike
    outage: bool = False
    callers_may_fail: bool = False
    people: tuple[str, ...] = ()
    ends: tuple[str, ...] = ("promoted", "rolled_back")
    says: str = ""
    run_lost: bool = False
    run_free: bool = False
    clock: bool = False
    second: bool = False
    dag_id: str = ""
    again: bool = False
    longer_s: float = 0.0


def catalogue() -> dict[str, Fault]:
    """Every fault, by name."""
    from tests.faults import on_airflow, on_cluster, on_fields, on_gitops, on_outside, on_people, on_routes

    groups = (on_airflow, on_cluster, on_outside, on_people, on_fields, on_routes, on_gitops)
    faults = [one for group in groups for one in group.FAULTS]
    found = {one.name: one for one in faults}
    assert len(found) == len(faults), "two faults have one name"
    return found


# The most telling ones: `make test` plays these.
TELLING = (
    ("triggerer-stopped", "baking"),
    ("control-plane-killed", "harm"),
    ("prometheus-blackholed", "baking"),
)
