"""A brake on a VirtualService that somebody has edited, that is refused, gone, or made anew."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace

import pytest

from glidepath.errors import ClaimLostError, ClusterError, SetupError
from glidepath.kube import at_once
from glidepath.traffic import Routes, Routing, Split, WayBack
from tests.support.apiserver import MESH, NAMESPACE, SERVICE
from tests.support.fields import Object
from tests.support.installed import http_routes
from tests.support.meshed import Meshed
from tests.unit.traffic.world import CLAIM, NEXT, VIRTUAL_SERVICE, RoutesInMemory

BASE = f"{MESH}/virtualservices"
SAFE = Split("v1", "v2", 0)
REDIRECT: Object = {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}
STATIC: Object = {"match": [{"uri": {"prefix": "/static"}}], "route": [{"destination": {"host": "cdn"}}]}


@pytest.fixture
def way(world: RoutesInMemory) -> WayBack:
    """The way back to what the claim found."""
    return WayBack(SAFE, {"v2"}, world.traffic.read().routing)


@pytest.fixture
def shifted(way: WayBack, taken: RoutesInMemory) -> RoutesInMemory:
    """Held, with 20 % on the canary."""
    assert way.found is not None
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 20)))
    return taken


@pytest.mark.parametrize("other", [REDIRECT, STATIC, {"directResponse": {"status": 503}}, {"delegate": {"name": "x"}}])
def test_what_somebody_added_stays_and_the_canary_goes(shifted: RoutesInMemory, way: WayBack, other: Object) -> None:
    shifted.edit([other, *http_routes({"v1": 80, "v2": 20})])
    assert shifted.traffic.stop(CLAIM, way)
    assert shifted.found()["spec"]["http"] == [other, *http_routes({"v1": 100, "v2": 0})]
    assert not shifted.traffic.stop(CLAIM, way)


def test_routes_that_were_replaced_need_no_brake(shifted: RoutesInMemory, way: WayBack) -> None:
    shifted.edit([REDIRECT])
    shifted.traffic.stop(CLAIM, way)
    assert shifted.found()["spec"]["http"] == [REDIRECT]
    assert not shifted.traffic.leave(CLAIM, "v1")


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_brake_that_is_refused_as_invalid_is_tried_in_plainer_forms(
    shifted: RoutesInMemory, way: WayBack, status: int, times: int
) -> None:
    shifted.edit([REDIRECT, *http_routes({"v1": 80, "v2": 20}, timeout="7s")])
    shifted.server.fail("PATCH", VIRTUAL_SERVICE, status, times)
    assert shifted.traffic.stop(CLAIM, way)
    http = shifted.found()["spec"]["http"]
    assert shifted.traffic.read().split.weights["v1"] == 100
    assert REDIRECT not in http
    own, found = http_routes({"v1": 100, "v2": 0}, timeout="7s"), http_routes({"v1": 100, "v2": 0})
    plain = [{"route": [{"destination": {"host": SERVICE, "subset": "v1"}, "weight": 100},
                        {"destination": {"host": SERVICE, "subset": "v2"}, "weight": 0}]}]  # fmt: skip
    assert http == [own, found, plain][times - 1]


@pytest.mark.parametrize(
    ("status", "text", "times"),
    [
        (403, "ValidatingAdmissionPolicy 'no-redirects' with binding 'all' denied request: no redirects", 1),
        (451, 'admission webhook "lawyers.example.com" denied the request: no redirects', 1),
        (409, 'admission webhook "quota.example.com" denied the request: no redirects', 2),
    ],
)
def test_a_plainer_form_is_written_whatever_status_a_policy_answers_with(
    shifted: RoutesInMemory, way: WayBack, status: int, text: str, times: int
) -> None:
    shifted.edit([REDIRECT, *http_routes({"v1": 80, "v2": 20})])
    shifted.server.fail("PATCH", VIRTUAL_SERVICE, status, times, text)
    assert shifted.traffic.stop(CLAIM, way)
    assert shifted.found()["spec"]["http"] == http_routes({"v1": 100, "v2": 0})


def test_a_policy_engine_that_refuses_all_forms_is_named(shifted: RoutesInMemory, way: WayBack) -> None:
    shifted.server.fail("PATCH", VIRTUAL_SERVICE, 400, 9)
    with pytest.raises(ClusterError, match="injected 400"):
        shifted.traffic.stop(CLAIM, way)


def test_who_may_not_write_is_told_so_at_once(shifted: RoutesInMemory, way: WayBack) -> None:
    shifted.server.fail("PATCH", VIRTUAL_SERVICE, 403, 1)
    with pytest.raises(ClusterError, match="injected 403"):
        Meshed(at_once(shifted.server.api()), NAMESPACE, SERVICE).stop(CLAIM, way)


def recreated(world: RoutesInMemory, http: list[Object], mark: str = "") -> None:
    """Somebody opens the VirtualService, deletes it, and makes it anew."""
    found = world.found()
    del world.server.objects[BASE, SERVICE]
    annotations = {"glidepath.dev/token": mark} if mark else {}
    metadata = {"name": SERVICE, "labels": found["metadata"]["labels"], "annotations": annotations}
    world.server.put(BASE, {**found, "metadata": metadata, "spec": {**found["spec"], "http": http}}, "argocd")


def test_a_virtual_service_that_is_gone_is_made_anew_whole(shifted: RoutesInMemory, way: WayBack) -> None:
    before = shifted.found()
    del shifted.server.objects[BASE, SERVICE]
    with pytest.raises(ClaimLostError, match="is gone; whether this claim is still held has to be seen first"):
        shifted.traffic.stop(CLAIM, way)
    assert shifted.traffic.stop(CLAIM, way, mine=True)
    after = shifted.found()
    for part in ("hosts", "gateways"):
        assert after["spec"][part] == before["spec"][part]
    assert after["spec"]["http"] == http_routes({"v1": 100, "v2": 0})
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    # What the brake wrote alone is not lost by the next writes, nor when it is opened.
    shifted.traffic.leave(CLAIM, "v1")
    shifted.traffic.open(CLAIM)
    assert shifted.found()["spec"] == {**before["spec"], "http": http_routes({"v1": 100})}
    assert shifted.found()["metadata"]["labels"] == before["metadata"]["labels"]


def test_nobody_knows_what_a_virtual_service_said_that_is_gone(shifted: RoutesInMemory) -> None:
    del shifted.server.objects[BASE, SERVICE]
    with pytest.raises(SetupError, match="does not exist"):
        shifted.traffic.stop(CLAIM, WayBack(SAFE, {"v2"}), mine=True)


@pytest.mark.parametrize("token", ["", "3", "7"])
def test_an_object_that_this_claim_never_took_is_not_written(shifted: RoutesInMemory, way: WayBack, token: str) -> None:
    """As on another cluster, to which a client was led astray."""
    recreated(shifted, http_routes({"v1": 80, "v2": 20}), token)
    if token == "7":
        assert shifted.traffic.stop(CLAIM, way)
        return
    before = shifted.server.writes()
    with pytest.raises(ClaimLostError, match="this claim, with 7, never took it"):
        shifted.traffic.stop(CLAIM, way)
    assert shifted.server.writes() == before
    assert shifted.traffic.stop(CLAIM, way, mine=True)
    assert shifted.traffic.read().split == SAFE


def test_one_that_is_deleted_between_the_read_and_the_write_does_not_come_back_headless(
    shifted: RoutesInMemory,
) -> None:
    def gone() -> None:
        del shifted.server.objects[BASE, SERVICE]

    shifted.server.before("PATCH", VIRTUAL_SERVICE, gone)
    with pytest.raises(ClusterError) as caught:
        shifted.traffic.write(CLAIM, Routes(SAFE))
    assert caught.value.status == 404
    assert shifted.server.all("virtualservices") == []


def test_hosts_and_gateways_are_put_back(shifted: RoutesInMemory, way: WayBack) -> None:
    body = {"spec": {"hosts": ["elsewhere"], "gateways": ["other"]}}
    assert shifted.server.handle("PATCH", VIRTUAL_SERVICE, "application/merge-patch+json", body)[0] == 200
    assert shifted.traffic.stop(CLAIM, way)
    shifted.traffic.leave(CLAIM, "v1")
    assert (shifted.found()["spec"]["hosts"], shifted.found()["spec"]["gateways"]) == ([SERVICE], ["mesh"])


def test_a_shift_that_finds_nothing_to_write_owns_the_routes_all_the_same(shifted: RoutesInMemory) -> None:
    """A restore brought equal routes back with managed fields of long ago: Helm owns them."""
    stored = shifted.server.objects[BASE, SERVICE]
    for one in stored["metadata"]["managedFields"]:
        one["manager"] = "helm" if one["manager"] == "glidepath" else one["manager"]
    shifted.traffic.write(CLAIM, Routes(Split("v1", "v2", 20)))
    assert shifted.helm({"v1": 50, "v2": 50})[0] == 409


def test_a_brake_that_finds_nothing_to_write_owns_the_routes_all_the_same(
    shifted: RoutesInMemory, way: WayBack
) -> None:
    shifted.traffic.stop(CLAIM, way)
    stored = shifted.server.objects[BASE, SERVICE]
    for one in stored["metadata"]["managedFields"]:
        one["manager"] = "helm" if one["manager"] == "glidepath" else one["manager"]
    assert shifted.traffic.stop(CLAIM, way)
    assert shifted.helm({"v1": 50, "v2": 50})[0] == 409


def test_a_newer_claim_is_respected_whatever_the_routes_say(shifted: RoutesInMemory, way: WayBack) -> None:
    shifted.traffic.take(NEXT)
    with pytest.raises(ClaimLostError, match="carries token 8, this claim has 7"):
        shifted.traffic.stop(CLAIM, way)
    assert shifted.traffic.stop(replace(NEXT, token=9), way, mine=True)


def test_the_routing_survives_the_record_and_an_annotation(world: RoutesInMemory) -> None:
    found = world.traffic.read().routing
    assert Routing.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert Routing.from_text(found.to_text()) == found
    assert Routing.from_text("") is Routing.from_text("{}") is Routing.from_text("no json") is None
    for http in ('["a"]', '[{"route": ["a"]}]', '[{"route": [{"destination": "a"}]}]', '[{"mirror": "a"}]', "3"):
        text = f'{{"uid": "1", "hosts": [], "gateways": [], "http": {http}, "labels": {{}}, "annotations": {{}}}}'
        assert Routing.from_text(text) is None, http
    long = replace(found, http=tuple(copy.deepcopy(found.http[0]) for _ in range(2000)))
    assert long.to_text() == ""


def test_an_older_virtual_service_for_the_same_host_wins(world: RoutesInMemory) -> None:
    alone = world.traffic.around({"v2"}, everywhere=True)
    assert (alone.outdone, alone.leading) == (None, {})
    found = world.found()

    def beside(name: str, at: str, **spec: object) -> None:
        metadata = {"name": name, "labels": {}}
        world.server.put(BASE, {**found, "metadata": metadata, "spec": {**found["spec"], **spec}}, "a-team")
        world.server.objects[BASE, name]["metadata"]["creationTimestamp"] = at

    own = found["metadata"]["creationTimestamp"]
    beside("a-first", "2020-01-01T00:00:00Z", hosts=["prices.shop.svc.cluster.local"])
    beside("a-same-second", own)
    beside("z-same-second", own)
    beside("younger", "2999-01-01T00:00:00Z")
    beside("other-host", "2020-01-01T00:00:00Z", hosts=["other"])
    beside("other-gateway", "2020-01-01T00:00:00Z", gateways=["edge"])
    outdone = world.traffic.around(()).outdone
    assert re.findall(r"VirtualService (\S+) of", outdone or "") == ["shop/a-first", "shop/a-same-second"]


def test_who_else_leads_to_a_version_is_named(world: RoutesInMemory) -> None:
    found = world.found()

    def beside(name: str, entry: object, host: str = "beta.example.com") -> None:
        spec = {"hosts": [host], "http": [entry]}
        world.server.put(BASE, {**found, "metadata": {"name": name, "labels": {}}, "spec": spec}, "a-team")

    def to(subset: str | None, weight: int = 100, host: str = "prices") -> dict[str, object]:
        return {"destination": {"host": host, **({"subset": subset} if subset else {})}, "weight": weight}

    beside("beta", {"route": [to("v2")]})
    beside("full", {"route": [to("v1", 60), to("v2", 40, "prices.shop.svc.cluster.local")]})
    beside("copies", {"route": [to("v1")], "mirrors": [{"destination": {"host": "prices", "subset": "v2"}}]})
    beside("all", {"route": [to(None)]})
    beside("stable-only", {"route": [to("v1"), to("v2", 0)]})
    beside("another-service", {"route": [to("v2", host="other")]})
    beside("redirect", {"redirect": {"uri": "/"}})
    assert world.traffic.around({"v2"}).leading == {
        "shop/beta": "VirtualService shop/beta leads to v2",
        "shop/full": "VirtualService shop/full leads to v2",
        "shop/copies": "VirtualService shop/copies leads to v2",
        "shop/all": "VirtualService shop/all leads to the pods of every version",
    }
