"""The fence on the real API server: what a person's helm, and a release's own, come to in mid-release."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client, config

from glidepath.claim import Claim
from glidepath.deploy import Helm
from glidepath.deploy import values as chart
from glidepath.deploy.charts import LocalChart
from glidepath.errors import HelmError
from glidepath.traffic import Routes, Split
from rig.environment import RigError, cluster, helm, kubectl
from tests.chart.fenced import (
    GIVEN,
    NAMESPACE,
    OBJECTS,
    SERVICE,
    annotations,
    api,
    everything,
    held,
    spec,
    upgrade,
    upgrade_with,
)
from tests.support.chart import CHART
from tests.support.meshed import Meshed

__all__ = ["api", "held"]
pytestmark = pytest.mark.cluster


def test_helm_cannot_undo_a_brake_and_works_again_when_the_release_is_over(api: client.ApiClient, held: Claim) -> None:
    traffic = Meshed(api, NAMESPACE, SERVICE)
    traffic.write(held, Routes(Split("v1", "v2", 0)))
    upgrade()
    with pytest.raises(RigError, match="conflict"):
        upgrade("istio.trafficSplit.stable=50", "istio.trafficSplit.canary=50")
    assert traffic.read().split == Split("v1", "v2", 0)
    traffic.open(held)
    upgrade("istio.trafficSplit.stable=50", "istio.trafficSplit.canary=50")
    assert traffic.read().split == Split("v1", "v2", 50)
    upgrade("istio.trafficSplit.stable=100", "istio.trafficSplit.canary=0")
    assert traffic.read().split == Split("v1", "v2", 0)


def test_helm_cannot_remove_a_version_that_a_release_holds(api: client.ApiClient, held: Claim) -> None:
    traffic = Meshed(api, NAMESPACE, SERVICE)
    traffic.write(held, Routes(Split("v1", None, 0)))
    with pytest.raises(HelmError, match="mark it open first"):
        upgrade_with(api, held, None)
    assert "v2" in traffic.state().versions
    traffic.let_go(held, "v2")
    upgrade_with(api, replace(held, token=held.token), None)
    assert "v2" not in traffic.state().versions
    traffic.open(held)
    upgrade()


@pytest.mark.usefixtures("held")
def test_a_persons_helm_upgrade_changes_nothing_that_a_release_holds() -> None:
    """Helm 4 applies all that it can before it ends with what was refused: it must be refused all of it."""
    before = {what: spec(what) for what in (*OBJECTS, f"deployment/{SERVICE}-v1")}
    cases = (
        ("env.ADDED=x", ()),
        ("roles.canary=", ("--reset-values",)),
        ("roles.canary=v3", ("--reuse-values",)),
        ("env.ADDED=x", ("--force-conflicts",)),
        ("env.ADDED=x", ("--server-side=false",)),
    )
    for change, more in cases:
        with pytest.raises(RigError, match=r"a release holds this object with token|conflict with"):
            helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", f"{GIVEN},{change}", *more)
        assert {what: spec(what) for what in before} == before, (change, more)


def test_a_releases_own_upgrades_pass_one_after_the_other(api: client.ApiClient, held: Claim) -> None:
    port, traffic = (
        Helm(LocalChart(Path(CHART)), "app", NAMESPACE, api, cluster()["HELM"]),
        Meshed(api, NAMESPACE, SERVICE),
    )
    found = port.status()
    assert found is not None
    values = chart.with_canary(found.values, "v1", "v2", 0, held.token)
    for number in (1, 2):
        port.upgrade({**values, "env": {"NUMBER": str(number)}}, write=traffic.state().write + 1)
        assert annotations(f"deployment/{SERVICE}-v1")["glidepath.dev/write"] == str(traffic.state().write)
    with pytest.raises(HelmError, match="applies a whole object without knowing of it"):
        port.upgrade({**values, "env": {"NUMBER": "3"}}, write=traffic.state().write)
    port.upgrade(values, write=traffic.state().write + 1)


@pytest.mark.usefixtures("api")
def test_helm_is_whoever_the_client_is(api: client.ApiClient) -> None:
    """By a token, by a certificate, and refused as the client is."""
    admin = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    binary = cluster()["HELM"]
    for one in (api, config.new_client_from_config_dict(admin)):
        found = Helm(LocalChart(Path(CHART)), "app", NAMESPACE, one, binary).status()
        assert found is not None
        assert found.status == "deployed"
    nobody = config.new_client_from_config_dict({**admin, "users": [{**admin["users"][0], "user": {"token": "x"}}]})
    with pytest.raises(HelmError, match="asked for the client to provide credentials"):
        Helm(LocalChart(Path(CHART)), "app", NAMESPACE, nobody, binary).status()


def test_helm_uninstall_is_refused_before_it_has_deleted_anything(api: client.ApiClient, held: Claim) -> None:
    """The rights of the brake, the watchdog and the fence are of the same chart, and nothing holds these."""
    before = everything()
    with pytest.raises(RigError, match=f"{held.holder} holds this service; take its canary back with"):
        helm("uninstall", "app", "-n", NAMESPACE)
    assert everything() == before
    found = Helm(LocalChart(Path(CHART)), "app", NAMESPACE, api, cluster()["HELM"]).status()
    assert found is not None
    assert found.status == "deployed"
