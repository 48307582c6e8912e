"""Which entries of a VirtualService are the service's own, and what becomes of the others."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.errors import NoWeightedRouteError, TrafficDriftError
from glidepath.traffic import Split
from glidepath.traffic.entries import Hosts, is_weighted, leads, left_alone
from glidepath.traffic.routes import is_without, split_of, ways_back, with_split, without
from tests.support.apiserver import NAMESPACE, SERVICE
from tests.support.fields import Object
from tests.support.installed import http_routes
from tests.support.istio import validate

HOSTS = Hosts(SERVICE, NAMESPACE)
CALLERS = [{"headers": {"x-tester": {"exact": "1"}}}]


def to(subset: str, weight: int | None = None, host: str = SERVICE, **more: object) -> Object:
    """A destination."""
    destination = {"host": host, **({"subset": subset} if subset else {})}
    return {"destination": destination, **({} if weight is None else {"weight": weight}), **more}


REDIRECT: Object = {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}
DIRECT: Object = {"match": [{"uri": {"exact": "/ping"}}], "directResponse": {"status": 200}}
DELEGATE: Object = {"match": [{"uri": {"prefix": "/team"}}], "delegate": {"name": "theirs"}}
STATIC: Object = {"name": "static", "match": [{"uri": {"prefix": "/static"}}], "route": [to("", host="cdn")]}
TESTERS: Object = {"match": CALLERS, "route": [to("v2")]}
MIXED: Object = {"match": [{"uri": {"prefix": "/mixed"}}], "route": [to("v1", 95), to("", 5, host="legacy")]}
FOREIGN = [REDIRECT, DIRECT, DELEGATE, STATIC]


@pytest.mark.parametrize("host", ["prices", "prices.shop", "prices.shop.svc", "prices.shop.svc.cluster.local"])
def test_a_service_is_known_by_each_of_its_names(host: str) -> None:
    assert is_weighted({"route": [to("v1", host=host)]}, HOSTS)


@pytest.mark.parametrize("host", ["prices-canary", "prices.other", "prices.example.com", "prices.shop.example.com", ""])
def test_other_hosts_are_not_it(host: str) -> None:
    assert not is_weighted({"route": [to("v1", host=host)]}, HOSTS)


@pytest.mark.parametrize("other", [*FOREIGN, TESTERS, MIXED], ids=lambda one: next(iter(set(one) - {"match", "name"})))
def test_what_is_not_ours_is_neither_read_nor_written(other: Object) -> None:
    for http in ([other, *http_routes({"v1": 100})], [*http_routes({"v1": 100}), other]):
        at = http.index(other)
        assert split_of(http, "it", HOSTS) == Split("v1", None, 0)
        for split in (Split("v1", "v2", 0), Split("v1", "v2", 20), Split("v1", "v2", 100)):
            written = with_split(http, split, HOSTS)
            assert written[at] == other
            assert split_of(written, "it", HOSTS) == split
        assert left_alone(http, HOSTS) == left_alone([{}] * at + [other], HOSTS)[at:]


def test_a_destinations_headers_and_port_stay_and_the_new_one_gets_the_like() -> None:
    like = {"headers": {"request": {"set": {"x-real": "1"}}}}
    first = to("v1", 100, **like)
    first["destination"]["port"] = {"number": 9}
    own = {**to("v2", 0), "headers": {"response": {"set": {"x-by": "v2"}}}}
    [entry] = with_split([{"route": [first]}], Split("v1", "v2", 30), HOSTS)
    assert [one["headers"] for one in entry["route"]] == [like["headers"]] * 2
    assert [one["destination"]["port"] for one in entry["route"]] == [{"number": 9}] * 2
    [entry] = with_split([{"route": [first, own]}], Split("v1", "v2", 30), HOSTS)
    assert [one["headers"] for one in entry["route"]] == [like["headers"], own["headers"]]


def test_weights_are_proportions() -> None:
    assert split_of([{"route": [to("v1", 9), to("v2", 1)]}], "it", HOSTS) == Split("v1", "v2", 10)
    assert split_of([{"route": [to("v1", 1)]}], "it", HOSTS) == Split("v1", None, 0)
    assert split_of([{"route": [to("v1", 100), to("v2")]}], "it", HOSTS) == Split("v1", "v2", 0)


@pytest.mark.parametrize("http", [[REDIRECT], [TESTERS], [MIXED], [STATIC, DIRECT]])
def test_routes_that_can_take_no_weight_say_what_they_have(http: list[Object]) -> None:
    with pytest.raises(NoWeightedRouteError, match=r"it has entry 1 .*; expected an entry all of whose destinations"):
        split_of(http, "it", HOSTS)
    with pytest.raises(NoWeightedRouteError, match=r"no entry can take v1 80 %, v2 20 %: there is entry 1 "):
        with_split(http, Split("v1", "v2", 20), HOSTS)


def test_an_entry_that_can_not_be_taken_is_named() -> None:
    http = [*http_routes({"v1": 100}), {"name": "odd", "route": [to("v1", 50), to("v2", 30), to("v3", 20)]}]
    with pytest.raises(TrafficDriftError, match=r"with \[50, 30, 20\] in entry 2 'odd' \(to prices/v1, prices/v2"):
        split_of(http, "it", HOSTS)


def test_what_leads_beside_the_weights() -> None:
    mirrored = {"route": [to("v1")], "mirror": {"host": SERVICE, "subset": "v3"}}
    copied = {"route": [to("v1")], "mirrors": [{"destination": {"host": SERVICE, "subset": "v4"}}]}
    assert leads([*http_routes({"v1": 100}), *FOREIGN], HOSTS) == set()
    assert leads([TESTERS, MIXED, mirrored, copied], HOSTS) == {"v1", "v2", "v3", "v4"}
    assert leads([{"match": CALLERS, "route": [to("")]}], HOSTS) == {""}
    assert leads([{"match": CALLERS, "route": [to("v1", 100), to("v2", 0)]}], HOSTS) == set()


def test_callers_who_are_led_to_the_old_version_follow_to_the_new_one() -> None:
    pinned = {"match": CALLERS, "route": [to("v1")]}
    http = [pinned, MIXED, *http_routes({"v1": 0, "v2": 100})]
    written = with_split(http, Split("v2", None, 0), HOSTS)
    assert [one["route"][0]["destination"]["subset"] for one in written] == ["v2"] * 3
    assert written[1]["route"][1] == MIXED["route"][1]


ADDED = [
    TESTERS,
    {"match": CALLERS, "route": [to("")]},
    {"route": [to("v1", 50), to("v2", 30), to("", 20, host="legacy")]},
    {"route": [to("v2")]},
    {"route": [to("v1", 10), to("v2", 60), to("v3", 30)]},
    {"route": [to("v1")], "mirror": {"host": SERVICE, "subset": "v2"}, "mirrorPercentage": {"value": 100}},
    {"route": [to("v1")], "mirrors": [{"destination": {"host": SERVICE, "subset": "v2"}}]},
]


def reachable(http: list[dict[str, Any]]) -> set[str]:
    """Every version that any request, or a copy of one, may reach: written down anew."""
    found = set()
    for entry in http:
        ways = entry.get("route") or []
        asked = [one for one in ways if len(ways) == 1 or one.get("weight")]
        copies = [{"destination": entry["mirror"]}] if "mirror" in entry else []
        for one in [*asked, *copies, *entry.get("mirrors", [])]:
            if one["destination"]["host"].split(".")[0] == SERVICE:
                found.add(one["destination"].get("subset", ""))
    return found


@given(
    st.lists(st.sampled_from([*FOREIGN, MIXED, *ADDED]), max_size=4),
    st.sampled_from([http_routes({"v1": 80, "v2": 20}), http_routes({"v2": 100}), []]),
    st.integers(0, 4),
)
def test_a_brake_gets_the_canary_out_of_whatever_it_meets(others: list[Object], own: list[Object], at: int) -> None:
    http = copy.deepcopy([*others[:at], *own, *others[at:]])
    if not http:
        return
    before = http_routes({"v1": 100})
    for form in ways_back(http, Split("v1", "v2", 0), {"v2"}, before, HOSTS):
        assert reachable(form) <= {"v1"}
        assert is_without(form, "v1", {"v2"}, before, HOSTS)
        validate({"spec": {"http": form}})
    first = next(ways_back(http, Split("v1", "v2", 0), {"v2"}, before, HOSTS))
    assert [one for one in first if one in FOREIGN] == [one for one in http if one in FOREIGN]


def test_what_stood_there_at_the_claim_is_a_teams_own_and_stays() -> None:
    shadow = {"route": [to("v1")], "mirror": {"host": SERVICE, "subset": "v2"}}
    before = [TESTERS, shadow]
    assert without(before, Split("v1", None, 0), {"v2"}, before, HOSTS)[0] == TESTERS
    assert without(before, Split("v1", None, 0), {"v2"}, before, HOSTS)[1]["mirror"] == shadow["mirror"]
