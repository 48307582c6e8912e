"""The chart of the name that callers use, before versions that are each a Helm release."""

from __future__ import annotations

from typing import Any

import pytest

from rig.environment import REPO
from tests.support.templates import helm, named, rendered

ROUTES = REPO / "include" / "charts" / "routes"
SHOP: dict[str, Any] = {"service": {"name": "shop"}, "roles": {"stable": "v1", "canary": ""}}
BOTH = {**SHOP, "roles": {"stable": "v1", "canary": "v2"}, "istio": {"trafficSplit": {"stable": 80, "canary": 20}}}
THREE = {
    **SHOP,
    "roles": {"stable": "v1", "canary": "v2", "baseline": "v1-baseline"},
    "istio": {"trafficSplit": {"stable": 60, "canary": 20, "baseline": 20}},
}


@pytest.mark.parametrize("values", [SHOP, BOTH, THREE], ids=["one version", "a canary", "a baseline"])
@pytest.mark.parametrize("kind", ["VirtualService", "DestinationRule"])
def test_routes_are_those_of_a_service_that_knows_glidepath(kind: str, values: dict[str, Any]) -> None:
    more: dict[str, Any] = {"hosts": ["shop.example.com"], "timeout": "5s", "gateway": {"existing": "ops/web"}}
    both = {**values, "istio": {**values.get("istio", {}), **more}, "release": {"token": "41"}}
    port = {"service": {"name": "shop", "port": 80, "metricsPort": 9090}}
    theirs, ours = (
        named(rendered(values={**both, **port}), kind)["shop"],
        named(rendered(chart=ROUTES, values=both), kind)["shop"],
    )
    assert ours["spec"] == theirs["spec"]
    assert ours["metadata"]["annotations"] == theirs["metadata"]["annotations"] == {"glidepath.dev/token": "41"}
    assert ours["metadata"]["labels"]["app"] == "shop"


def test_the_service_has_the_pods_of_every_version() -> None:
    ports = [{"name": "grpc", "port": 9000, "targetPort": 9001, "appProtocol": "grpc"}]
    objects = rendered(chart=ROUTES, values={**BOTH, "service": {"name": "shop", "ports": ports}})
    service = named(objects, "Service")["shop"]
    assert service["spec"] == {"selector": {"app": "shop"}, "ports": ports}
    [route, _] = named(objects, "VirtualService")["shop"]["spec"]["http"][0]["route"]
    assert route["destination"]["port"] == {"number": 9000}


def test_without_hosts_it_serves_inside_the_mesh_only() -> None:
    spec = named(rendered(chart=ROUTES, values=SHOP), "VirtualService")["shop"]["spec"]
    assert (spec["hosts"], spec["gateways"]) == (["shop"], ["mesh"])
    assert "timeout" not in spec["http"][0]


def test_the_service_can_have_the_pods_of_before() -> None:
    values = {**BOTH, "service": {"name": "shop", "selector": {"name": "old"}}}
    assert named(rendered(chart=ROUTES, values=values), "Service")["shop"]["spec"]["selector"] == {"name": "old"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "service.name"),
        ({**BOTH, "roles": {"stable": "v1", "canary": "v1"}}, 'both "v1"; expected two different versions'),
        ({**THREE, "roles": {"stable": "v1", "canary": "v2", "baseline": "v2"}}, "expected a name of its own"),
        ({**SHOP, "istio": {"trafficSplit": {"stable": 90, "canary": 20}}}, "expected them to add up to 100"),
        ({**SHOP, "istio": {"trafficSplit": {"stable": 80, "canary": 20}}}, "roles.canary is empty"),
        ({**BOTH, "istio": THREE["istio"]}, "roles.baseline is empty"),
        ({**SHOP, "service": {"name": "shop", "ports": []}}, "minItems"),
        ({**SHOP, "replicas": {"stable": 2}}, "additional properties"),
    ],
)
def test_what_can_not_be_is_refused(values: dict[str, Any], words: str) -> None:
    done = helm("template", "shop", str(ROUTES), values=values)
    assert done.returncode != 0
    assert words in done.stderr or words.replace(".", "/") in done.stderr


def test_lint_accepts_it() -> None:
    done = helm("lint", "--strict", str(ROUTES), "--set", "service.name=shop,roles.stable=v1")
    assert done.returncode == 0, done.stdout + done.stderr
