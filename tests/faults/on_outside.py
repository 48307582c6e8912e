"""Faults between Glidepath and what it calls: Prometheus, the Kubernetes API, the record's disk, the clock."""

from __future__ import annotations

import time
from typing import Any

from tests.faults.catalogue import Fault
from tests.faults.scene import Scene

TELEMETRY, API, MACHINE = "Telemetry", "Kubernetes API", "Machine"
WRITES = ["PATCH", "PUT", "POST", "DELETE"]
LOOKING = ("plan", "baking", "harm", "gate", "promoting", "rolling back")
CALLING = ("plan", "claim", "deploy", "before weight", "baking", "harm", "gate", "promoting", "rolling back", "finish")


def _telemetry(name: str, what: str, outage: bool = True, **wrong: Any) -> Fault:
    def strike(scene: Scene) -> None:
        scene.arena.proxies.misbehave("prometheus", since=time.time(), **wrong)
        # Beyond the policy's limit of 20 s and the three scrapes before silence counts.
        scene.hold_until(60, lambda: scene.ended() or (scene.moment.name == "plan" and scene.phase() != ""))
        scene.notes.append(f"met {scene.arena.proxies.hits('prometheus')} queries")
        scene.arena.proxies.misbehave("prometheus")
        scene.healed = time.time()

    phases = LOOKING
    return Fault(f"prometheus-{name}", TELEMETRY, what, phases, strike, outage=outage, says="no data" if outage else "")


def _api(name: str, what: str, longest_s: float = 40.0, **wrong: Any) -> Fault:
    def strike(scene: Scene) -> None:
        seconds = scene.rng.uniform(5, longest_s)
        scene.arena.proxies.misbehave("kubernetes", **wrong)
        scene.hold_until(seconds)
        scene.notes.append(f"for {seconds:.0f} s, met {scene.arena.proxies.hits('kubernetes')} calls")
        scene.arena.proxies.misbehave("kubernetes")
        scene.healed = time.time()

    return Fault(f"api-{name}", API, what, CALLING, strike)


def disk_full(scene: Scene) -> None:
    """Not a byte left where the record is."""
    scene.arena.fill_record(True)
    seconds = scene.rng.uniform(5, 40)
    try:
        scene.hold_until(seconds)
    finally:
        scene.arena.fill_record(False)
    scene.healed = time.time()
    scene.notes.append(f"for {seconds:.0f} s")


def _clock(offset_s: int) -> Fault:
    def strike(scene: Scene) -> None:
        scene.arena.clock(offset_s)

    sign = "forward" if offset_s > 0 else "back"
    # Airflow begins no task of a run that begins in its clock's future (DagRun.run_after): guard and watchdog make the
    # traffic safe, and the run goes on when the clock has caught up.
    return Fault(
        f"clock-{sign}", MACHINE, f"the clock of all of Airflow's processes steps {sign} by {abs(offset_s)} s",
        ("claim", "deploy", "baking", "harm", "gate", "promoting"), strike, clock=True, longer_s=max(0, -offset_s) * 1.1,
    )  # fmt: skip


FAULTS = (
    _telemetry("blackholed", "Prometheus takes queries and never answers", mode="hang"),
    _telemetry("slow", "Prometheus answers after 3 s", outage=False, mode="slow", seconds=3),
    _telemetry("erring", "Prometheus answers 500", mode="500"),
    _telemetry("nan", "each value is NaN", mode="nan"),
    _telemetry("empty", "no series at all", mode="empty"),
    _telemetry("stale", "no sample is newer than the fault", mode="stale"),
    _telemetry("duplicated", "each series twice, as from two jobs that scrape one pod", mode="duplicate", outage=False),
    _api("refuses", "connections refused for 5 to 40 s", mode="refuse"),
    _api("silent", "calls are taken and never answered, for 5 to 40 s", mode="hang"),
    _api("slow", "each call takes 5 s, for 5 to 40 s", mode="slow", seconds=5),
    _api("conflicts", "each write is answered 409, for 5 to 40 s", mode="409", verbs=WRITES),
    _api("throttles", "each call is answered 429, for 5 to 40 s", mode="429"),
    _api("errs", "each call is answered 500, for 5 to 40 s", mode="500"),
    _api("loses-answers", "each write is done, its answer lost, for 5 to 40 s", mode="lost", verbs=WRITES),
    Fault("disk-full", MACHINE, "no byte free where the record is, for 5 to 40 s", CALLING, disk_full),
    _clock(600),
    _clock(-600),
)
