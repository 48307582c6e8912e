"""Objects that mention no name of a service's hosts meet nothing of it: leaving them out changes no answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kubernetes import client

from glidepath.fence.objects import FencedObjects
from glidepath.kube import Objects
from glidepath.traffic.kinds import KINDS
from glidepath.traffic.meeting import meeting
from glidepath.traffic.mentioned import _remembered, labels_of, mentioning
from glidepath.traffic.reading import IstioRoutes

HOSTS = st.sampled_from(
    ["prices", "prices.shop", "prices.shop.svc.cluster.local", "prices.other", "carts", "carts.shop", "*", "*.shop",
     "prices.example.com", "shop.example.com", "pricesx"]
)  # fmt: skip
NAMES = st.sampled_from(["prices", "carts", "a", "b"])
SPACES = st.sampled_from(["shop", "other"])
WAYS = st.fixed_dictionaries(
    {"destination": st.fixed_dictionaries({"host": HOSTS, "subset": st.sampled_from(["v1", "v2", ""])})},
    optional={"weight": st.sampled_from([0, 50, 100])},
)
ENTRIES = st.fixed_dictionaries(
    {"route": st.lists(WAYS, max_size=2)},
    optional={"mirrors": st.lists(WAYS, max_size=1), "mirror": st.fixed_dictionaries({"host": HOSTS})},
)


def metadata(name: str, namespace: str, age: int) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "creationTimestamp": f"2026-01-0{age}T00:00:00Z"}


METADATA = st.builds(metadata, NAMES, SPACES, st.integers(1, 5))
SERVICES = st.fixed_dictionaries(
    {
        "metadata": METADATA,
        "spec": st.fixed_dictionaries(
            {"hosts": st.lists(HOSTS, min_size=1, max_size=2), "http": st.lists(ENTRIES, max_size=2)},
            optional={"gateways": st.just(["mesh", "gate"]), "tcp": st.lists(ENTRIES, max_size=1)},
        ),
    }
)
SUBSETS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["v1", "v2"]), "labels": st.just({"version": "v1"})}), max_size=2
)
RULES = st.fixed_dictionaries(
    {"metadata": METADATA, "spec": st.fixed_dictionaries({"host": HOSTS, "subsets": SUBSETS})}
)


class Listed(Objects):
    """What a namespace has, as its API tells it."""

    def __init__(self, **kinds: Any) -> None:
        self.client = client.ApiClient()
        super().__init__(self.client, "shop")
        self._kinds = kinds

    def list(self, kind: str, selector: str = "", fields: str = "") -> Any:
        assert not selector
        assert not fields
        return self._kinds[kind.rsplit("/", 1)[1]]


@given(st.lists(SERVICES, max_size=5), st.lists(RULES, max_size=4), st.booleans())
def test_leaving_out_what_mentions_nothing_changes_no_answer(services: Any, rules: Any, shared: bool) -> None:
    pods = {version: {"version": version} for version in ("v1", "v2")}
    told = meeting("prices", "shop", {"v2"}, pods, services, rules)
    listed = Listed(
        virtualservices=tuple(services) if shared else services, destinationrules=tuple(rules) if shared else rules
    )
    routes = IstioRoutes(FencedObjects(listed.client, "shop", "prices", KINDS, opened=lambda *_: listed))
    assert routes.around({"v2"}, pods) == told
    assert routes.around({"v2"}, pods) == told


def test_a_list_that_nobody_changes_is_gone_through_once() -> None:
    rule = {"metadata": {"name": "prices"}, "spec": {"host": "prices.shop"}}
    listed = (rule, {"metadata": {"name": "x"}, "spec": {"host": "carts"}})
    assert mentioning(listed, {"prices"}) == [rule]
    known = _remembered[id(listed)]
    assert mentioning(listed, {"carts", "prices"}) == list(listed)
    assert _remembered[id(listed)] is known
    assert labels_of(listed[1]) == {"x", "carts"}
