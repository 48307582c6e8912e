"""A release with a guard that watches it."""

from __future__ import annotations

from typing import Any

from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.shift import shift
from tests.support.apiserver import LEASES
from tests.support.stage import Stage


def started(stage: Stage, step: int = 1, policy: str = "", **params: Any) -> tuple[Run, Guard]:
    """A release at a step, and its guard, which has its first baseline."""
    run = stage.run(policy=policy, **params)
    claim(run)
    deploy(run)
    for version in run.fresh:
        stage.prometheus.scrape(version, 0)
    for number in range(1, step + 1):
        shift(run, number)
    guard = Guard(run)
    guard.tick()
    return run, guard


def at_first_step(run: Run) -> Run:
    """Give the canary its first requests."""
    claim(run)
    deploy(run)
    shift(run, 1)
    return run


def ticks(stage: Stage, guard: Guard, count: int, each: int = 1, **served: Any) -> None:
    """So many scrapes, a look after each; or after each few, where only what is counted in the end matters."""
    for number in range(1, count + 1):
        stage.traffic(**served)
        if number % each == 0 or number == count:
            guard.tick()


def annotated(stage: Stage, what: str, why: str) -> None:
    """What a person writes on the Lease."""
    lease = stage.server.all("leases")[0]["metadata"]["name"]
    query = {"fieldManager": "kubectl-annotate"}
    body = {"metadata": {"annotations": {f"glidepath.dev/{what}": why}}}
    stage.server._carry_out("PATCH", f"{LEASES}/{lease}", query, "merge", body)
