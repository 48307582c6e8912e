"""What the end-to-end tests look at: the cluster from the outside, the callers' view, the record, Airflow's word."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from glidepath.judge import Look
from glidepath.record import Record, Release
from glidepath.replay.telling import look_line
from rig import stage, witness
from rig.airflow import Airflow
from rig.environment import NAMESPACE, RigError, helm, kubectl
from tests.support.policies import DAG_ID
from tests.support.values import Values

SERVICE = "model-service"


@dataclass
class World:
    """One cluster with one Airflow, and the repository that promotions are handed over to, if there is one."""

    airflow: Airflow
    record: Record
    values: Values | None = None

    def start(self, **conf: Any) -> tuple[str, str]:
        """Start a release; Airflow's run id and the release's identity."""
        run_id = self.airflow.trigger(DAG_ID, conf)
        return run_id, f"{DAG_ID}/{run_id}"

    def end(self, run_id: str, timeout_s: float = 600) -> str:
        """Wait for a run's end; its state. If it does not come, the judge's last word is in the error."""
        try:
            return self.airflow.wait_run(DAG_ID, run_id, timeout_s)
        except RigError as error:
            raise RigError(f"{error}\n{self.story(f'{DAG_ID}/{run_id}')}") from error

    def story(self, release_id: str) -> str:
        """What the plan measured and the last look saw, for a test that failed on a machine that is gone."""
        release = self.record.find(release_id)
        if release is None:
            return "the record does not know the release"
        planned = [f"{one['settings']['name']}: {one['dispersion']}" for one in (release.plan or {}).get("metrics", [])]
        looks = self.record.looks(release_id)
        seen = look_line(looks[-1][0], Look.from_dict(looks[-1][2]), release.created) if looks else "nobody looked"
        return "\n".join([f"{release.phase}, {release.outcome}: {release.reason}", *planned, seen])

    def released(self, **conf: Any) -> tuple[str, Release]:
        """Release to the end; the run's state and what the record says."""
        run_id, release_id = self.start(**conf)
        state = self.end(run_id)
        return state, self.record.get(release_id)

    def wait(self, what: str, until: Callable[[], bool], timeout_s: float) -> float:
        """Wait until something holds; seconds it took."""
        started = time.monotonic()
        while not until():
            if time.monotonic() - started > timeout_s:
                raise AssertionError(f"{what}: not within {timeout_s:.0f} s")
            time.sleep(0.25)
        return time.monotonic() - started

    def log(self, run_id: str, task_id: str) -> str:
        """A task's newest log."""
        row = self.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/{task_id}")
        return self.airflow.log(DAG_ID, run_id, task_id, max(1, int(row["try_number"])))


def split() -> dict[str, int]:
    """The weights the VirtualService has, by version."""
    found = json.loads(kubectl("get", "virtualservice", SERVICE, "-n", NAMESPACE, "-o", "json"))
    return weights_in(found["spec"])


def weights_in(spec: dict[str, Any]) -> dict[str, int]:
    """The weights of a VirtualService's last entry that has some, by version; none where there is none."""
    routes = [entry.get("route") or [] for entry in spec.get("http") or []]
    ours = [route for route in routes if route and all("subset" in one["destination"] for one in route)]
    return {one["destination"]["subset"]: int(one.get("weight", 100)) for one in (ours[-1] if ours else [])}


def deployments() -> dict[str, int]:
    """The service's versions and their ready replicas."""
    found = json.loads(kubectl("get", "deployments", "-n", NAMESPACE, "-l", f"app={SERVICE}", "-o", "json"))
    return {one["metadata"]["labels"]["version"]: one["status"].get("readyReplicas", 0) for one in found["items"]}


def lease() -> dict[str, Any]:
    """The claim's Lease; held by nobody before the first release has made it."""
    found = kubectl("get", "lease", f"glidepath-{SERVICE}", "-n", NAMESPACE, "-o", "json", "--ignore-not-found")
    return dict(json.loads(found)) if found.strip() else {"metadata": {}, "spec": {}}


def helm_roles() -> dict[str, str]:
    """What Helm says of the roles."""
    return dict(json.loads(helm("get", "values", stage.RELEASE, "--all", "-n", NAMESPACE, "-o", "json"))["roles"])


def objects() -> dict[str, Any]:
    """Everything a release writes, for "changed nothing": generations, annotations, Helm's revision, the lease."""
    kinds = "virtualservices,destinationrules,deployments"
    found = json.loads(kubectl("get", kinds, "-n", NAMESPACE, "-l", f"app={SERVICE}", "-o", "json"))
    listed = json.loads(helm("list", "-n", NAMESPACE, "-o", "json"))
    held = lease()
    return {
        "objects": {
            f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], one["spec"], _marks(one))
            for one in found["items"]
        },
        "helm": [(one["name"], one["revision"], one["status"]) for one in listed],
        "lease": (held["spec"].get("holderIdentity"), _marks(held)),
    }


def _marks(one: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in one["metadata"].get("annotations", {}).items() if "glidepath" in key}


def assert_at_rest(stable: str, since: float) -> None:
    """What holds after every release: one version with all traffic, nothing locked, no request lost to routing.

    Args:
        stable: The version that has to be the stable one.
        since: From when on callers' requests count, epoch seconds.
    """
    from tests.faults.invariants import at_rest

    assert at_rest(stable) == []
    seen = witness.counts(since)
    assert witness.routing_failures(seen) == 0, seen
    assert "timeout" not in seen[stable].statuses
