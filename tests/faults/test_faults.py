"""Faults made for real in the middle of releases, and what must hold after each."""

from __future__ import annotations

import signal
import time

import pytest

from demo import stage, witness
from demo.environment import NAMESPACE, DemoError, helm, kubectl
from tests.faults.components import kill_airflow, signal_component
from tests.support.policies import DAG_ID
from tests.support.world import SERVICE, World, assert_at_rest, split

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
LONG = {"version": "v2", "weights": [50], "bake": "10m"}


def baking(world: World, **conf: object) -> tuple[str, str]:
    """Start a release and wait until its canary has weight and has been looked at."""
    run_id, release_id = world.start(**conf)
    version = str(conf["version"])
    world.wait(
        "weight on the canary",
        lambda: world.record.find(release_id) is not None and split().get(version, 0) > 0,
        120,
    )
    world.wait("a look", lambda: world.record.last_look(release_id) is not None, 60)
    return run_id, release_id


def back_on_stable(world: World, run_id: str, release_id: str, began: float, timeout_s: float = 180) -> str:
    """Wait for the run's end; it must be red, the release rolled back, everything at rest. The reason."""
    assert world.end(run_id, timeout_s) == "failed"
    release = world.record.get(release_id)
    assert release.outcome == "rolled_back"
    assert_at_rest("v1", began)
    return str(release.reason)


def test_others_are_refused_and_a_run_marked_failed_goes_back_at_once(on_v1: World) -> None:
    began = time.time()
    run_id, release_id = baking(on_v1, **LONG)
    # A second run is refused, and touches nothing.
    second, second_id = on_v1.start(version="v3")
    assert on_v1.end(second, 120) == "failed"
    assert f"held by {release_id}" in on_v1.log(second, "plan")
    assert on_v1.record.find(second_id) is None
    # helm by hand is refused, and changes nothing.
    with pytest.raises(DemoError, match=r"conflict|glidepath"):
        helm(
            "upgrade", stage.RELEASE, str(stage.CHART), "-n", NAMESPACE, "--reset-values",
            "--set", "roles.canary=v2,istio.trafficSplit.stable=0,istio.trafficSplit.canary=100",
        )  # fmt: skip
    assert split() == {"v1": 50, "v2": 50}
    # A person marks the run failed: traffic is back before anything else happens.
    marked = time.time()
    on_v1.airflow.call("PATCH", f"/dags/{DAG_ID}/dagRuns/{run_id}", {"state": "failed"})
    on_v1.wait("traffic on stable", lambda: split().get("v2", 0) == 0, 30)
    assert time.time() - marked < 30
    on_v1.wait("the end", lambda: on_v1.record.get(release_id).outcome is not None, 120)
    on_v1.wait("the claim given back", lambda: stage.untouched(), 60)
    assert_at_rest("v1", began)


@pytest.mark.long
def test_the_guard_brakes_without_a_scheduler(on_v1: World) -> None:
    began = time.time()
    run_id, release_id = on_v1.start(version="v3", weights=[20])
    on_v1.wait("weight on v3", lambda: split().get("v3", 0) > 0, 120)
    kill_airflow(on_v1.airflow, "airflow scheduler")
    on_v1.wait("traffic on stable", lambda: split().get("v3", 0) == 0, 90)
    verdict = on_v1.record.once(release_id, "fail")
    assert verdict is not None
    assert witness.counts(began)["v3"].last - verdict.at < 1
    on_v1.airflow.stop()
    on_v1.airflow.start()
    assert "harm_proven" in back_on_stable(on_v1, run_id, release_id, began, 300)


def test_a_weight_changed_by_hand_takes_the_canary_back_and_says_who(on_v1: World) -> None:
    began = time.time()
    run_id, release_id = baking(on_v1, **LONG)
    patch = '[{"op":"replace","path":"/spec/http/0/route/0/weight","value":10},{"op":"replace","path":"/spec/http/0/route/1/weight","value":90}]'
    kubectl("patch", "virtualservice", SERVICE, "-n", NAMESPACE, "--type=json", "-p", patch, "--field-manager=a-person")
    edited = time.time()
    on_v1.wait("traffic on stable", lambda: split().get("v2", 0) == 0, 30)
    assert time.time() - edited < 15
    reason = back_on_stable(on_v1, run_id, release_id, began)
    assert "drift" in reason
    assert "a-person" in reason


@pytest.mark.long
def test_a_telemetry_outage_neither_promotes_nor_blames(on_v1: World) -> None:
    began = time.time()
    run_id, release_id = baking(on_v1, **LONG)
    signal_component("prometheus", signal.SIGSTOP)
    try:
        on_v1.wait(
            "no data",
            lambda: (on_v1.record.last_look(release_id) or {}).get("verdict") == "NO_DATA",
            60,
        )
        on_v1.wait("traffic on stable", lambda: split().get("v2", 0) == 0, 120)
    finally:
        signal_component("prometheus", signal.SIGCONT)
    reason = back_on_stable(on_v1, run_id, release_id, began)
    assert "no data" in reason
    assert on_v1.record.once(release_id, "fail") is None


def test_the_control_plane_may_die_and_harm_is_braked_when_it_is_back(on_v1: World) -> None:
    began = time.time()
    run_id, release_id = on_v1.start(version="v3", weights=[20])
    on_v1.wait("weight on v3", lambda: split().get("v3", 0) > 0, 120)
    for component in ("etcd", "kube-apiserver"):
        signal_component(component, signal.SIGKILL)
    on_v1.wait("the API", lambda: kubectl("get", "--raw", "/readyz", check=False).strip() == "ok", 60)
    on_v1.wait("traffic on stable", lambda: split().get("v3", 0) == 0, 90)
    assert "harm_proven" in back_on_stable(on_v1, run_id, release_id, began)


@pytest.mark.long
def test_a_canary_that_is_scaled_away_is_taken_back(on_v1: World) -> None:
    run_id, release_id = baking(on_v1, **LONG)
    kubectl("scale", f"deployment/{SERVICE}-v2", "-n", NAMESPACE, "--replicas=0")
    on_v1.wait("traffic on stable", lambda: split().get("v2", 0) == 0, 60)
    assert on_v1.end(run_id, 180) == "failed"
    assert on_v1.record.get(release_id).outcome == "rolled_back"
    assert split() == {"v1": 100}
    assert stage.untouched()
    assert "scaled to 0" in str(on_v1.record.get(release_id).reason)
