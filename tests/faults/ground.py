"""What every place where faults are made begins a case with: nothing under way, one stable version that has a past."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import quote

from rig import stage, witness
from rig.environment import NAMESPACE, kubectl
from tests.faults.synced import forget_sync
from tests.faults.theirs import forget_theirs
from tests.support.world import SERVICE, World, helm_roles, lease

RATE = 100.0
BASELINE_REQUESTS = 1500


class Ground(World):
    """A world that can be put in order between two cases."""

    def settle(self, say: Callable[[str], None], anew: Callable[[], None]) -> str:
        """End what is under way, and have one stable version with a past, all healthy. The stable version.

        Args:
            say: Where progress goes.
            anew: Called when the stage was made anew.
        """
        for run in self._under_way():
            self.airflow.call("PATCH", run, {"state": "failed"})
        self.wait("the runs before end", lambda: not self._under_way(), 600)
        self.wait("the release before ends", lambda: not lease()["spec"].get("holderIdentity"), 300)
        stable = helm_roles()["stable"] if stage.roles() else "v1"
        stable = stable if stable in ("v1", "v2") else "v1"
        since = time.time() - 240
        forget_sync()
        forget_theirs()
        if edited := _edited():
            stage.remove()
        if edited or not stage.pristine(stable) or _restarted():
            since = time.time()
            stage.set_stage(stable, RATE, say)
            anew()
        self.wait("Airflow's health", self.airflow.healthy, 120)
        stage.wait_answers(stable, BASELINE_REQUESTS, since, timeout_s=180)
        return stable

    def _under_way(self) -> list[str]:
        """The runs that have not ended, as paths of Airflow's API."""
        rows = self.airflow.call("GET", "/dags/~/dagRuns?state=running&state=queued")["dag_runs"]
        return [f"/dags/{one['dag_id']}/dagRuns/{quote(one['dag_run_id'], safe='')}" for one in rows]


def _restarted() -> bool:
    """Whether the traffic generator has forgotten its rate: it starts with another one."""
    answer = json.loads(kubectl("get", "--raw", f"{witness.PROXY}/healthz"))
    return float(answer["rate"]) != RATE


def _edited() -> bool:
    """Whether a case has left what a person wrote in the routes or the Service: it is theirs, so no release removes it."""
    routes, service = (
        json.loads(kubectl("get", kind, SERVICE, "-n", NAMESPACE, "-o", "json"))["spec"]
        for kind in ("virtualservice", "service")
    )
    entries = routes["http"]
    return (
        len(entries) != 1 or "mirror" in entries[0] or "exportTo" in routes or "version" in service.get("selector", {})
    )
