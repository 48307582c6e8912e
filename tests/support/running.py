"""One service of `services` under traffic, and releases of it through Airflow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from glidepath.record import Release
from glidepath.release.report import Report, report
from rig import witness
from rig.environment import helm, kubectl
from tests.support import services
from tests.support.services import NAMESPACE, Service
from tests.support.world import World, weights_in

# Of so many requests a past is made.
PAST = 6000


@dataclass(frozen=True)
class Running:
    """A service that was installed by plain Helm."""

    world: World
    service: Service

    @property
    def policies(self) -> Path:
        """Where Airflow finds the policy."""
        return self.world.airflow.policies

    def adopted(self, *how: str) -> None:
        """What `glidepath adopt` does."""
        self.service.adopt(self.policies, *how)

    def released(self, version: str, **changes: Any) -> tuple[str, Release]:
        """Release to the end, with some of the policy's keys changed; the run's state and what the record says."""
        airflow, dag_id = self.world.airflow, self.service.dag_id
        self.service.write(self.policies, airflow.home / "charts", **changes)
        run_id = airflow.trigger(dag_id, {"version": version})
        state = airflow.wait_run(dag_id, run_id, 600)
        return state, self.world.record.get(f"{dag_id}/{run_id}")

    def stable(self) -> str:
        """The version that has everything now."""
        [version] = weights_in(found(f"virtualservice/{self.service.name}")["spec"])
        return version

    def another(self) -> str:
        """A good version that is not the stable one."""
        return "v2" if self.stable() == "v1" else "v1"

    def promoted(self, version: str, **changes: Any) -> None:
        """Release a good version: it is promoted, and no request failed."""
        began = time.time()
        state, release = self.released(version, **changes)
        assert (state, release.outcome) == ("success", "promoted"), release.reason
        self.at_rest(version)
        seen = services.statuses(began)
        assert set(seen) == {self.service.answers[0]}, seen

    def taken_back(self, version: str, metric: str, **changes: Any) -> Report:
        """Release a bad version: it is taken back for this metric, and few callers noticed."""
        stable, began = self.stable(), time.time()
        state, release = self.released(version, **changes)
        assert (state, release.outcome) == ("failed", "rolled_back"), release.reason
        told = report(self.world.record, release.id)
        assert told.verdict == "FAIL"
        assert told.deciding is not None
        assert told.deciding.name == metric
        self.at_rest(stable)
        seen, (well, failed) = services.statuses(began), self.service.answers
        assert set(seen) <= {well, failed}, seen
        assert seen.get(failed, 0) < 0.05 * seen[well], seen
        return told

    def at_rest(self, version: str) -> None:
        """One version has everything, and there is no other Helm release."""
        name = self.service.name
        assert helm_releases() == {name, f"{name}-{version}"}
        assert weights_in(found(f"virtualservice/{name}")["spec"]) == {version: 100}
        deployed = found(f"deployment/{name}-{version}")
        assert deployed["status"]["readyReplicas"] == 2
        assert deployed["metadata"]["annotations"]["glidepath.dev/state"] == "open"


@contextmanager
def running(world: World, service: Service) -> Iterator[Running]:
    """v1 of it under traffic, by plain Helm; the example's service stands without any meanwhile."""
    witness.rate(0)
    charts = world.airflow.home / "charts"
    service.write(world.airflow.policies, charts)
    service.install(charts)
    world.airflow.wait_dag(service.dag_id)
    services.wait_answered(service.answers[0], 1000)
    yield Running(world, service)
    services.remove()
    (world.airflow.policies / f"{service.name}.yaml").unlink()
    witness.rate(100)


class Instrumented:
    """What is true of every service that counts its own requests: v3 fails, v4 is slow, v1 and v2 are good."""

    service: ClassVar[Service]

    @pytest.fixture(scope="class")
    def live(self, world: World) -> Iterator[Running]:
        """The service with v1 adopted, and enough of a past to judge by."""
        with running(world, self.service) as made:
            made.adopted("--version", "v1")
            self.service.wait_scraped("v1", PAST)
            yield made

    def test_a_slow_version_is_taken_back(self, live: Running) -> None:
        """By its own latency."""
        live.taken_back("v4", "latency_p95")

    def test_a_failing_version_is_taken_back(self, live: Running) -> None:
        """By its own errors."""
        live.taken_back("v3", "errors")

    def test_a_good_version_is_promoted_and_no_request_fails(self, live: Running) -> None:
        """By both."""
        live.promoted(live.another())


def helm_releases() -> set[str]:
    """What `helm list` shows, Glidepath's parts left out."""
    listed = json.loads(helm("list", "-n", NAMESPACE, "-o", "json"))
    return {one["name"] for one in listed if one["name"] != "glidepath"}


def found(what: str) -> dict[str, Any]:
    """An object."""
    return dict(json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json")))
