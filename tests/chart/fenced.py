"""A service with a fence on the real API server, a claim on it, and what people do to it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from glidepath.claim import Claim, LeaseClaims
from glidepath.deploy import Helm
from glidepath.deploy import values as chart
from glidepath.deploy.charts import LocalChart
from glidepath.traffic import Routes, Split
from rig.environment import cluster, glidepath_kubeconfig, helm, kubectl
from tests.support.chart import CHART, installed
from tests.support.meshed import Meshed

# Files that use it may run at once, each in a process of its own.
NAMESPACE, SERVICE = f"fence-test-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}", "fenced"
# No pods: what is tested is the API's word on writes.
GIVEN = (
    f"service.name={SERVICE},replicas.stable=0,replicas.canary=0,glidepath.watchdog.enabled=false,"
    "istio.hosts={fenced.example.com}"
)
LEASE = f"lease/glidepath-{SERVICE}"
OBJECTS = (f"virtualservice/{SERVICE}", f"destinationrule/{SERVICE}", f"deployment/{SERVICE}-v2")


@pytest.fixture(scope="module")
def api() -> Iterator[client.ApiClient]:
    """The chart installed by hand, and the API as Glidepath's own service account."""
    with installed(NAMESPACE, GIVEN):
        wait_in_force()
        yield config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))


def wait_in_force() -> None:
    """The API server takes a new policy into force some moments after it was created."""
    what = OBJECTS[-1]
    annotate(what, "glidepath.dev/token=2", "glidepath.dev/state=held")
    deadline = time.monotonic() + 60
    while kubectl(
        "annotate", "--overwrite", "--dry-run=server", what, "-n", NAMESPACE, "glidepath.dev/token=1", check=False
    ):
        assert time.monotonic() < deadline, "the fence is not in force after 60 s"
        time.sleep(0.2)
    annotate(what, "glidepath.dev/state=open")
    annotate(what, "glidepath.dev/token-", "glidepath.dev/state-")
    claim = LeaseClaims(config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE))), NAMESPACE, SERVICE)
    claim.acquire(Claim(NAMESPACE, SERVICE, "run/first", 0, "v1", "v2", 60))
    while kubectl("delete", LEASE, "-n", NAMESPACE, "--dry-run=server", check=False):
        assert time.monotonic() < deadline, "the claim's fence is not in force after 60 s"
        time.sleep(0.2)
    delete_claim()


def delete_claim() -> None:
    """Free the claim by hand, and delete it."""
    kubectl("patch", LEASE, "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"holderIdentity":""}}')
    kubectl("delete", LEASE, "-n", NAMESPACE)


def upgrade(*settings: str) -> str:
    """`helm upgrade` by a person."""
    return helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", ",".join((GIVEN, *settings)))


def upgrade_with(api: client.ApiClient, claim: Claim, canary: str | None = "v2") -> None:
    """An upgrade as a release makes it: with the claim's token, and the number of its own writes raised."""
    port, traffic = (
        Helm(LocalChart(Path(CHART)), "app", NAMESPACE, api, cluster()["HELM"]),
        Meshed(api, NAMESPACE, SERVICE),
    )
    found = port.status()
    assert found is not None
    values = chart.with_canary(found.values, "v1", canary, 0, claim.token)
    port.upgrade(values, write=traffic.state().write + 1)


@pytest.fixture
def held(api: client.ApiClient) -> Iterator[Claim]:
    """A claim under way; given back at the end."""
    claims, traffic = LeaseClaims(api, NAMESPACE, SERVICE), Meshed(api, NAMESPACE, SERVICE)
    claim = claims.acquire(
        Claim(NAMESPACE, SERVICE, "run/of-the-test", traffic.state().newest, "v1", "v2", 60), "http://airflow/run"
    )
    traffic.take(claim)
    yield claim
    newest = claims.read()
    assert newest is not None
    last = Claim(NAMESPACE, SERVICE, claim.holder, newest.token, "v1", "v2", 60)
    traffic.take(last)
    traffic.write(last, Routes(Split("v1", "v2", 0)))
    upgrade_with(api, last)
    traffic.open(last)
    claims.end(last, "")
    delete_claim()


def annotate(what: str, *pairs: str) -> None:
    """Write annotations as a person does."""
    kubectl("annotate", "--overwrite", what, "-n", NAMESPACE, *pairs)


def annotations(what: str) -> dict[str, str]:
    """What the object carries."""
    return dict(json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json"))["metadata"].get("annotations", {}))


def spec(what: str) -> object:
    """What the object says."""
    return json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json"))["spec"]


def everything() -> set[str]:
    """The names of all that the chart has made, in the namespace and beside it."""
    kinds = (
        "all,virtualservice,destinationrule,gateway.networking.istio.io,role,rolebinding,serviceaccount,networkpolicy"
    )
    there = kubectl("get", kinds, "-n", NAMESPACE, "-o", "name")
    fence = kubectl("get", "validatingadmissionpolicy,validatingadmissionpolicybinding", "-o", "name")
    return {*there.split(), *(one for one in fence.split() if NAMESPACE in one)}
