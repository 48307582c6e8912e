"""A release in the middle of which something breaks: its phases, and how a case waits for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from glidepath.release.journal import Journal
from glidepath.release.phases import Phase
from rig import witness
from tests.faults.arena import LEASE_S, Arena
from tests.support.policies import DAG_ID
from tests.support.world import lease, split

GOOD, HARMFUL = "good", "harmful"


@dataclass(frozen=True)
class Moment:
    """A phase of a release in which a fault strikes.

    Attributes:
        name: As the table calls it.
        version: Whether the canary is good or harmful.
        conf: The run's parameters beside the version.
        spread_s: The fault strikes up to so long after the phase began.
    """

    name: str
    version: str = GOOD
    conf: tuple[tuple[str, Any], ...] = ()
    spread_s: float = 0.0


LONG_BAKE = (("weights", [50]), ("bake", "40s"))
MOMENTS = {
    one.name: one
    for one in (
        Moment("plan", spread_s=2.0),
        Moment("claim", spread_s=0.5),
        Moment("deploy", spread_s=5.0),
        Moment("before weight", spread_s=1.0),
        Moment("baking", conf=LONG_BAKE, spread_s=5.0),
        Moment("harm", version=HARMFUL, conf=(("weights", [20]),), spread_s=3.0),
        Moment("gate", spread_s=1.0),
        Moment("promoting", spread_s=5.0),
        Moment("rolling back", version=HARMFUL, conf=(("weights", [20]),), spread_s=4.0),
        Moment("finish", spread_s=1.0),
    )
}
ALL = tuple(MOMENTS)
WITH_WEIGHT = ("baking", "harm", "gate")


@dataclass
class Scene:
    """One case while it is played.

    Attributes:
        struck: When the fault was made, epoch seconds.
        healed: When what was broken worked again; None while it does not.
        notes: What the fault has to say, for the result.
        others: Releases that were started beside this one.
    """

    arena: Arena
    moment: Moment
    stable: str
    canary: str
    rng: Random
    dag_id: str = DAG_ID
    run_id: str = ""
    began: float = 0.0
    struck: float = 0.0
    healed: float | None = None
    notes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def release_id(self) -> str:
        """The release's identity."""
        return f"{self.dag_id}/{self.run_id}"

    @property
    def conf(self) -> dict[str, Any]:
        """The run's parameters."""
        return {"version": self.canary, **dict(self.moment.conf)}

    @property
    def path(self) -> str:
        """The run in Airflow's API."""
        return f"/dags/{self.dag_id}/dagRuns/{quote(self.run_id, safe='')}"

    def start(self) -> None:
        """Start the release."""
        self.began = time.time()
        self.run_id = self.arena.airflow.trigger(self.dag_id, self.conf)

    @property
    def journal(self) -> Journal:
        """What happened in the release."""
        return Journal(self.arena.record, self.release_id)

    def phase(self) -> str:
        """Where the record says that the release stands; empty before it is planned."""
        found = self.arena.record.find(self.release_id)
        return found.phase if found else ""

    def reached(self) -> bool:
        """Whether the moment has come."""
        arena, phase = self.arena, self.phase()
        match self.moment.name:
            case "plan":
                return True
            case "claim":
                return phase == Phase.PLANNED
            case "deploy":
                return phase == Phase.CLAIMED
            case "before weight":
                return phase == Phase.DEPLOYED
            case "baking":
                return phase == Phase.BAKING and arena.record.last_look(self.release_id) is not None
            case "harm":
                return phase == Phase.BAKING and any(given.step == 1 for given in self.journal.weights())
            case "gate":
                return self.journal.word_on(1) is not None and phase == Phase.BAKING
            case "promoting":
                return phase == Phase.PROMOTING
            case "rolling back":
                return self.journal.fate() is not None
        return arena.record.get(self.release_id).outcome is not None if phase else False

    def ended(self) -> bool:
        """Whether the release is closed in the record."""
        found = self.arena.record.find(self.release_id)
        return found is not None and found.outcome is not None

    def safe(self) -> bool:
        """Whether the canary gets no traffic."""
        return split().get(self.canary, 0) == 0

    def hold_until(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Let what is broken be broken for so long, or until it has been broken for long enough."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not enough():
            time.sleep(0.25)

    def wait_watchdog(self) -> float:
        """Wait until the watchdog has made an abandoned claim safe and free; seconds since the fault."""
        self.arena.wait("the claim freed", lambda: not lease()["spec"].get("holderIdentity"), LEASE_S + 40)
        safe = lease()["metadata"]["annotations"]["glidepath.dev/stable"]  # the canary, once it is committed
        self.arena.wait(f"traffic on {safe}", lambda: split().get(safe) == 100, 5)
        return time.time() - self.struck

    def last_request(self) -> float | None:
        """When callers last sent the canary a request, epoch seconds; None: never."""
        seen = witness.counts(self.began).get(self.canary)
        return seen.last if seen is not None else None
