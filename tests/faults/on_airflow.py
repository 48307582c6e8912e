"""Faults of Airflow: its components killed, stopped, gone."""

from __future__ import annotations

import signal
import time

from glidepath.record.turns import GUARD
from tests.faults.catalogue import Fault
from tests.faults.components import airflow_processes, family, parent, signal_airflow, signal_all
from tests.faults.scene import ALL, WITH_WEIGHT, Scene
from tests.faults.supervisor import SECOND

COMPONENTS = ("scheduler", "triggerer", "api-server", "dag-processor")
GROUP = "Airflow"


def _kill(component: str) -> Fault:
    def strike(scene: Scene) -> None:
        before = scene.arena.component(component)
        signal_airflow(scene.arena.home, component, signal.SIGKILL)
        scene.arena.wait(f"another {component}", lambda: _another(scene, component, before), 30)

    return Fault(
        f"{component}-killed", GROUP, f"kill -9 of the {component} with all its processes; started again after 2 s",
        tuple(phase for phase in ALL if component != "dag-processor" or phase in ("claim", "baking")), strike,
    )  # fmt: skip


def _another(scene: Scene, component: str, before: int) -> bool:
    try:
        return scene.arena.component(component) != before
    except AssertionError:
        return False


def _running(scene: Scene) -> list[int]:
    """The processes of tasks that run now: the task's own, not the one that watches it."""
    return airflow_processes(
        scene.arena.airflow, lambda line: line.startswith("airflow worker -- ") and "LocalExecutor" not in line
    )


def _signalled(scene: Scene, what: signal.Signals) -> int:
    """Send this to whichever task runs, once one does; how many got it."""
    reached: list[int] = []

    def done() -> bool:
        reached.extend(pid for pid in _running(scene) if signal_all([pid], what))
        return bool(reached)

    scene.arena.wait("a task that runs", done, 30)
    return len(reached)


def kill_task(scene: Scene) -> None:
    """kill -9 of the process of whichever task runs."""
    scene.notes.append(f"{_signalled(scene, signal.SIGKILL)} killed")


def evict_task(scene: Scene) -> None:
    """SIGTERM to whichever task runs, as a pod that is evicted gets it: nobody wants the release to end."""
    scene.notes.append(f"{_signalled(scene, signal.SIGTERM)} told to end")


def stop_task(scene: Scene) -> None:
    """SIGSTOP of a task, its helm and who watches it, until its run has ended without it; then it goes on."""
    stopped: list[int] = []

    def found() -> bool:
        for task in _running(scene):
            stopped.extend([parent(task), *family(task)])
        return signal_all(stopped, signal.SIGSTOP) > 1

    scene.arena.wait("a task that runs", found, 30)
    tasks = _running(scene)
    try:
        scene.arena.airflow.call("PATCH", scene.path, {"state": "failed"})
        scene.arena.wait(
            "the release's end", lambda: scene.ended() and (scene.journal.finished() or not _claimed(scene)), 120
        )
    finally:
        signal_all(stopped, signal.SIGCONT)
    scene.notes.append(f"{len(stopped) - 2} children of the task stopped with it")
    scene.arena.wait("the end of the task that was stopped", lambda: not set(tasks) & set(_running(scene)), 120)


def _claimed(scene: Scene) -> bool:
    return scene.arena.record.get(scene.release_id).token is not None


def airflow_gone(scene: Scene) -> None:
    """Every process of Airflow at once, and none comes back until the cluster is safe."""
    had_weight = not scene.safe()
    scene.arena.airflow.kill()
    scene.struck = time.time()
    if had_weight or scene.phase() not in ("", "planned"):
        took = scene.wait_watchdog()
        scene.notes.append(f"safe and free {took:.1f} s after the loss of Airflow")
    scene.arena.airflow.start()


def triggerer_stopped(scene: Scene) -> None:
    """SIGSTOP across the lease's expiry: a guard that goes on afterwards where it was."""
    signal_airflow(scene.arena.home, "triggerer", signal.SIGSTOP)
    try:
        if scene.moment.name in WITH_WEIGHT:
            scene.wait_watchdog()
        else:
            scene.hold_until(30, scene.ended)
    finally:
        signal_airflow(scene.arena.home, "triggerer", signal.SIGCONT)


def taken_over(scene: Scene) -> None:
    """SIGSTOP of the triggerer until another has taken its triggers over; then it goes on where it was."""
    arena = scene.arena

    def turn() -> int:
        now = arena.record.turns.find(scene.release_id, GUARD)
        return now.number if now else 0

    arena.wait("the guard", lambda: turn() > 0 or scene.ended(), 30)
    before = turn()
    signal_airflow(arena.home, SECOND, signal.SIGCONT)
    signal_airflow(arena.home, "triggerer", signal.SIGSTOP)
    try:
        arena.wait("the guard's start in the other triggerer", lambda: turn() > before or scene.ended(), 60)
        scene.notes.append(f"taken over after {time.time() - scene.struck:.1f} s")
    finally:
        signal_airflow(arena.home, "triggerer", signal.SIGCONT)
    scene.hold_until(10, scene.ended)  # what was stopped finds out, and calls on_kill
    scene.notes.append(f"{turn()} guards were begun")


def all_stopped(scene: Scene) -> None:
    """SIGSTOP of everything across the lease's expiry: every writer there is goes on as a stale one."""
    held = scene.phase() not in ("", "planned") and not scene.journal.finished()
    for name in COMPONENTS:
        signal_airflow(scene.arena.home, name, signal.SIGSTOP)
    try:
        scene.wait_watchdog() if held else scene.hold_until(25)
    finally:
        for name in COMPONENTS:
            signal_airflow(scene.arena.home, name, signal.SIGCONT)


FAULTS = (
    *(_kill(name) for name in COMPONENTS),
    Fault(
        "task-killed", GROUP, "kill -9 of the running task's own process",
        ("plan", "claim", "deploy", "before weight", "gate", "promoting", "rolling back", "finish"), kill_task,
    ),
    Fault(
        "task-evicted", GROUP, "SIGTERM to the running task's own process",
        ("claim", "deploy", "before weight", "promoting", "rolling back"), evict_task,
    ),
    Fault(
        "task-stopped", GROUP, "SIGSTOP of the running task with its helm until the run, marked failed, has ended; then SIGCONT",
        ("claim", "deploy", "before weight", "promoting"), stop_task, run_free=True,
    ),
    Fault(
        "airflow-gone", GROUP, "kill -9 of every process of Airflow; it stays away until the cluster is safe without it",
        ALL, airflow_gone,
    ),
    Fault(
        "triggerer-stopped", GROUP, "SIGSTOP of the triggerer until its claim has expired and was taken, then SIGCONT",
        ("deploy", "baking", "harm", "gate", "promoting"), triggerer_stopped,
    ),
    Fault(
        "triggerer-taken-over", GROUP, "SIGSTOP of the triggerer until another one has taken its triggers over, then SIGCONT",
        ("baking", "harm", "gate", "promoting"), taken_over, second=True, ends=("promoted",),
    ),
    Fault(
        "airflow-stopped", GROUP, "SIGSTOP of every process of Airflow until the claim has been taken, then SIGCONT",
        ("claim", "deploy", "before weight", "baking", "harm", "gate", "promoting", "rolling back", "finish"), all_stopped,
    ),
)  # fmt: skip
