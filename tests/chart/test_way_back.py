"""The brake on the real API server and Istio's real webhook, on a VirtualService that somebody has edited."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config

from glidepath.claim import Claim
from glidepath.errors import ClusterError
from glidepath.traffic import Routes, Split, WayBack
from rig.environment import glidepath_kubeconfig, kubectl
from tests.support.chart import installed
from tests.support.meshed import Meshed

pytestmark = pytest.mark.cluster
NAMESPACE, SERVICE = "way-back-test", "braked"
# No pods: what is tested is the API's word on writes.
GIVEN = (
    f"service.name={SERVICE},replicas.stable=0,replicas.canary=0,glidepath.watchdog.enabled=false,"
    "istio.hosts={braked.example.com}"
)
CLAIM = Claim(NAMESPACE, SERVICE, "run/of-the-test", 7, "v1", "v2", 60)
ROUTES = f"virtualservice/{SERVICE}"
REDIRECT = {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}
DIRECT = {"match": [{"uri": {"prefix": "/ping"}}], "directResponse": {"status": 200}}
DELEGATE = {"match": [{"uri": {"prefix": "/team"}}], "delegate": {"name": "theirs", "namespace": NAMESPACE}}
STATIC = {"match": [{"uri": {"prefix": "/static"}}], "route": [{"destination": {"host": "cdn.example.com"}}]}
TESTERS = {
    "match": [{"headers": {"x-tester": {"exact": "1"}}}],
    "route": [{"destination": {"host": SERVICE, "subset": "v2"}}],
}
MIRROR = {"host": SERVICE, "subset": "v2"}


@pytest.fixture(scope="module")
def api() -> Iterator[client.ApiClient]:
    """The chart installed by hand, and the API as Glidepath's own service account."""
    with installed(NAMESPACE, GIVEN):
        yield config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))


@pytest.fixture
def traffic(api: client.ApiClient) -> Iterator[Meshed]:
    """Held by CLAIM with 20 % on the canary; opened at the end, with routes as the chart made them."""
    traffic = Meshed(api, NAMESPACE, SERVICE)
    traffic.take(CLAIM)
    traffic.write(CLAIM, Routes(Split("v1", "v2", 20)))
    yield traffic
    plain = {"host": SERVICE, "subset": "v1", "port": {"number": 8081}}
    edit([{"route": [{"destination": plain}]}])
    traffic.open(CLAIM)


def spec() -> dict[str, Any]:
    """What the VirtualService says."""
    found: dict[str, Any] = json.loads(kubectl("get", ROUTES, "-n", NAMESPACE, "-o", "json"))["spec"]
    return found


def edit(http: list[dict[str, Any]]) -> None:
    """A person's edit of the routes."""
    patch = json.dumps({"spec": {"http": http}})
    kubectl("patch", ROUTES, "-n", NAMESPACE, "--type=merge", "-p", patch, "--field-manager=a-person")


def way(traffic: Meshed) -> WayBack:
    """The way back of a release that found the chart's routes."""
    return WayBack(Split("v1", "v2", 0), {"v2"}, traffic.read().routing)


@pytest.mark.parametrize(
    "theirs", [REDIRECT, DIRECT, DELEGATE, STATIC], ids=["redirect", "direct", "delegate", "foreign"]
)
def test_an_entry_that_is_not_ours_survives_the_brake(traffic: Meshed, theirs: dict[str, Any]) -> None:
    known, [own] = way(traffic), spec()["http"]
    edit([theirs, own])
    assert traffic.stop(CLAIM, known)
    kept, braked = spec()["http"]
    assert kept == theirs
    assert [one.get("weight", 0) for one in braked["route"]] == [100, 0]
    assert not traffic.stop(CLAIM, known)


def test_what_leads_to_the_canary_beside_the_weights_goes(traffic: Meshed) -> None:
    known, [own] = way(traffic), spec()["http"]
    edit([TESTERS, {**own, "mirror": MIRROR}])
    assert traffic.read().beside == {"v2"}
    assert traffic.stop(CLAIM, known)
    testers, braked = spec()["http"]
    assert testers["route"][0]["destination"]["subset"] == "v1"
    assert "mirror" not in braked


def test_routes_that_were_replaced_by_a_redirect_need_no_brake(traffic: Meshed) -> None:
    known = way(traffic)
    edit([{"redirect": {"uri": "/closed"}}])
    traffic.stop(CLAIM, known)
    assert spec()["http"] == [{"redirect": {"uri": "/closed"}}]
    assert not traffic.leave(CLAIM, "v1")


def gone() -> None:
    """A person opens the VirtualService and deletes it."""
    kubectl("annotate", "--overwrite", ROUTES, "-n", NAMESPACE, "glidepath.dev/state=open")
    kubectl("delete", ROUTES, "-n", NAMESPACE)


def test_an_apply_makes_nothing_anew_that_was_deleted_since_it_was_read(traffic: Meshed) -> None:
    known, before = way(traffic), spec()
    asked: list[bool] = []

    def still() -> bool:  # asked between the read and the write
        if not asked:
            gone()
        asked.append(True)
        return True

    with pytest.raises(ClusterError) as caught:
        traffic.write(CLAIM, Routes(Split("v1", "v2", 50)), still)
    assert caught.value.status == 404
    assert kubectl("get", ROUTES, "-n", NAMESPACE, "--ignore-not-found") == ""
    # The brake does make it anew, whole, and the next writes lose nothing of it.
    assert traffic.stop(CLAIM, known, mine=True)
    traffic.leave(CLAIM, "v1")
    after = spec()
    assert (after["hosts"], after["gateways"]) == (before["hosts"], before["gateways"])
    assert [one["destination"]["subset"] for one in after["http"][0]["route"]] == ["v1"]
    assert SERVICE in kubectl("get", "virtualservice", "-n", NAMESPACE, "-l", f"app={SERVICE}", "-o", "name")


def test_one_that_was_made_anew_is_not_written_before_the_lease_is_seen(traffic: Meshed) -> None:
    known = way(traffic)
    whole = json.loads(kubectl("get", ROUTES, "-n", NAMESPACE, "-o", "json"))
    gone()
    metadata = {"name": SERVICE, "labels": whole["metadata"]["labels"]}
    kubectl("create", "-n", NAMESPACE, "-f", "-", given=json.dumps({**whole, "metadata": metadata}))
    with pytest.raises(Exception, match="carries token 0: this claim, with 7, never took it"):
        traffic.stop(CLAIM, known)
    assert traffic.stop(CLAIM, known, mine=True)
    assert traffic.read().split == Split("v1", "v2", 0)
