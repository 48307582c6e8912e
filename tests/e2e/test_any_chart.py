"""Prometheus itself is released, by the chart that `helm create` makes and its own metrics: nobody here wrote either."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from glidepath.record import Release
from glidepath.release.report import report
from rig import witness
from rig.environment import helm, kubectl
from tests.support import prometheus_service as service
from tests.support.prometheus_service import DAG_ID, NAMESPACE, SERVICE
from tests.support.world import World, weights_in

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def metrics(world: World) -> Iterator[World]:
    """v1 of it under traffic, by plain Helm, and the example's service without any."""
    witness.rate(0)
    charts = world.airflow.home / "charts"
    service.write(world.airflow.policies, charts)
    service.installed(charts)
    world.airflow.wait_dag(DAG_ID)
    service.wait_answered(1000)
    yield world
    service.remove()
    witness.rate(100)


def released(world: World, version: str) -> tuple[str, Release]:
    """Release to the end; the run's state and what the record says."""
    run_id = world.airflow.trigger(DAG_ID, {"version": version})
    state = world.airflow.wait_run(DAG_ID, run_id, 600)
    return state, world.record.get(f"{DAG_ID}/{run_id}")


def helm_releases() -> set[str]:
    """What `helm list` shows, Glidepath's parts left out."""
    listed = json.loads(helm("list", "-n", NAMESPACE, "-o", "json"))
    return {one["name"] for one in listed if one["name"] != "glidepath"}


def found(what: str) -> dict[str, Any]:
    return dict(json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json")))


def at_rest(version: str) -> None:
    """One version with everything, and no other Helm release."""
    assert helm_releases() == {SERVICE, f"{SERVICE}-{version}"}
    assert weights_in(found(f"virtualservice/{SERVICE}")["spec"]) == {version: 100}
    deployed = found(f"deployment/{SERVICE}-{version}")
    assert deployed["status"]["readyReplicas"] == 2
    assert deployed["metadata"]["annotations"]["glidepath.dev/state"] == "open"


def test_it_is_adopted_without_a_failed_request(metrics: World) -> None:
    before, began = found(f"service/{SERVICE}"), time.time()
    service.adopt(metrics.airflow.policies, "--version", "v1")
    after = found(f"service/{SERVICE}")
    assert (after["metadata"]["uid"], after["spec"]["clusterIP"]) == (
        before["metadata"]["uid"],
        before["spec"]["clusterIP"],
    )
    assert helm_releases() == {SERVICE, f"{SERVICE}-v1"}
    assert kubectl("get", f"deployment/{SERVICE}", "-n", NAMESPACE, "--ignore-not-found") == ""
    service.adopt(metrics.airflow.policies, "--version", "v1")
    assert set(service.statuses(began)) == {"200"}


def test_a_failing_version_is_taken_back(metrics: World) -> None:
    service.wait_scraped("v1", 6000)
    began = time.time()
    with service.failing_at_the_mesh("v3", 10):
        state, release = released(metrics, "v3")
    assert (state, release.outcome) == ("failed", "rolled_back"), release.reason
    told = report(metrics.record, release.id)
    assert told.verdict == "FAIL"
    assert told.deciding is not None
    assert told.deciding.name == "errors_istio"
    at_rest("v1")
    seen = service.statuses(began)
    assert set(seen) == {"200", "503"}
    assert seen["503"] < 0.05 * seen["200"]


def test_a_good_version_is_promoted_and_no_request_fails(metrics: World) -> None:
    began = time.time()
    state, release = released(metrics, "v2")
    assert (state, release.outcome) == ("success", "promoted"), release.reason
    at_rest("v2")
    assert set(service.statuses(began)) == {"200"}


def test_it_goes_back_to_plain_helm_without_a_failed_request(metrics: World) -> None:
    before, began = found(f"service/{SERVICE}"), time.time()
    service.adopt(metrics.airflow.policies, "--back")
    assert found(f"service/{SERVICE}")["metadata"]["uid"] == before["metadata"]["uid"]
    assert helm_releases() == {SERVICE}
    deployed = found(f"deployment/{SERVICE}")
    assert deployed["spec"]["template"]["spec"]["containers"][0]["image"] == "localhost/prometheus:v2"
    assert kubectl("get", "virtualservice,destinationrule", "-n", NAMESPACE, "-o", "name") == ""
    assert set(service.statuses(began)) == {"200"}
