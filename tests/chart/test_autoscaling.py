"""Where an autoscaler owns the replicas, its minimum is what makes room: asked of the real controller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import config

from glidepath.deploy import KubernetesWorkloads
from rig.environment import glidepath_kubeconfig, helm
from tests.support.chart import CHART, installed

pytestmark = pytest.mark.cluster
NAMESPACE = "autoscaling-test"


@pytest.fixture(scope="module", autouse=True)
def autoscaled() -> Iterator[None]:
    """v1 stable and v2 canary, a pod each, scaled by autoscalers."""
    given = "autoscaling.enabled=true,roles.canary=v2,replicas.stable=1,istio.hosts={autoscaling.example.com}"
    with installed(NAMESPACE, given):
        yield


def test_a_higher_minimum_makes_ready_replicas_and_a_helm_upgrade_leaves_them() -> None:
    workloads = KubernetesWorkloads(
        config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE))), NAMESPACE, "model-service"
    )
    workloads.wait_ready("v2", 60)
    assert workloads.readiness("v2").wanted == 1
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--reuse-values", "--set", "versions.v2.replicas=2")
    workloads.wait_ready("v2", 60, least=2)
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--reuse-values", "--set", "env.SOMETHING=else")
    workloads.wait_ready("v2", 60, least=2)
    assert workloads.readiness("v2").wanted == 2
