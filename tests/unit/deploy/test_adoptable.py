"""Which services can be adopted; what keeps one from it is named."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from glidepath.deploy.adoptable import differing, hindrances, images, ports, serving, without
from glidepath.deploy.manifests import Object
from glidepath.deploy.mapped import Mapped
from glidepath.policy.helm import ValuePaths

PLAIN = """\
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {name: shop}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {name: shop}}
  template:
    metadata: {labels: {name: shop, more: yes}}
    spec: {containers: [{name: shop, image: "r/shop:v1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
"""


def plain(*more: Object, **service: Any) -> list[Object]:
    """What a plain chart has made, with another Service, and other objects beside."""
    found = list(yaml.safe_load_all(PLAIN))
    found[0]["spec"] |= service
    return [*found, *more]


def other(kind: str, name: str = "shop", **spec: Any) -> Object:
    return {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_plain_chart_with_the_callers_service_and_one_deployment_can_be_adopted() -> None:
    assert list(hindrances("shop", plain())) == []
    assert [one["kind"] for one in serving("shop", plain())] == ["Deployment"]
    assert images(serving("shop", plain())[0]) == ["r/shop:v1"]


def test_a_statefulset_without_volumes_can_be_adopted() -> None:
    found = plain()
    found[1]["kind"] = "StatefulSet"
    assert list(hindrances("shop", found)) == []
    assert [one["kind"] for one in serving("shop", found)] == ["StatefulSet"]


CLAIM = {"spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "shop-data"}}]}}

VOLUMES = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}, {"metadata": {"name": "log"}}]}


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (plain()[1:], "makes no Service shop: callers have to use the service's name (Services: none)"),
        ([other("Service", "shop-http"), *plain()[1:]], "(Services: shop-http)"),
        (plain(type="LoadBalancer"), "Service shop is LoadBalancer; expected ClusterIP"),
        (plain(clusterIP="None"), "Service shop is headless"),
        (plain(ports=[{"name": "dns", "port": 53, "protocol": "UDP"}]), "a port that is not TCP"),
        (plain(selector={}), "the Service has pods of nothing; expected one Deployment or StatefulSet"),
        (plain(plain()[1]), "the Service has pods of Deployment shop, Deployment shop"),
        (plain(other("Ingress")), "Ingress shop: each version would bring one for the same host"),
        (plain(other("HTTPRoute")), "HTTPRoute shop"),
        (plain(other("VirtualService", "theirs")), "VirtualService theirs"),
        (plain(other("DaemonSet", "db")), "DaemonSet db: it has no replicas to give a version"),
        (plain(other("StatefulSet", "db", **VOLUMES)), "StatefulSet db has volumeClaimTemplates (data, log)"),
        (plain(other("PersistentVolumeClaim", "data")), "PersistentVolumeClaim data: it would go with its version"),
        (plain(other("Deployment", "job", template=CLAIM)), "mounts the volume shop-data: two versions at once"),
    ],
)
def test_what_keeps_one_from_it_is_named(objects: list[Object], words: str) -> None:
    told = list(hindrances("shop", objects))
    assert [one for one in told if words in one]


def test_a_port_without_a_name_is_led_to_as_http() -> None:
    service = {
        "spec": {
            "ports": [{"port": 80, "protocol": "TCP"}, {"name": "grpc", "port": 90, "targetPort": "g", "nodePort": 3}]
        }
    }
    assert ports(service) == [
        {"name": "http", "port": 80, "targetPort": 80},
        {"name": "grpc", "port": 90, "targetPort": "g"},
    ]


def mapped(given: dict[str, Any]) -> Mapped:
    return Mapped("shop", given, ValuePaths())


def test_values_differ_where_not_in_what_each_version_has_of_its_own() -> None:
    runs = {"image": {"repository": "r/shop", "tag": "v1"}, "fullnameOverride": "shop", "replicaCount": 3, "port": 80}
    assert differing(mapped({"image": {"repository": "r/shop"}, "port": 80}), runs) == []
    assert differing(mapped({"image": {"repository": "r/other"}}), runs) == [
        'image.repository: "r/shop" runs, the policy says "r/other"',
        "port: 80 runs, the policy says null",
    ]


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({"a": {"b": 1}}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
        ({"a": 5, "d": {}}, {"a": 5, "d": {}}),
        ({"e": 1, "ab": {"b": 1}}, {"ab": {"b": 1}}),
    ],
)
def test_values_without_some_paths(values: dict[str, Any], left: dict[str, Any]) -> None:
    assert without(values, "a.b", "e") == left
