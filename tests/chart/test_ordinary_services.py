"""What an ordinary service needs of the chart: secrets, files, further ports, metrics where they are. Needs Helm, no cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.templates import CHART, helm, named, rendered

SERVICE: dict[str, Any] = {
    "image": {"repository": "registry.example.com/prices", "pullSecrets": ["registry"]},
    "service": {
        "name": "prices", "port": 8080, "portName": "grpc", "metricsPort": 8080, "metricsPath": "/actuator/prometheus",
        "ports": [{"name": "http-admin", "port": 9000}],
    },
    "roles": {"stable": "v1", "canary": "v2"},
    "envFrom": [{"secretRef": {"name": "prices"}}],
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
    "monitoring": {"serviceMonitor": True},
}  # fmt: skip


def test_each_version_gets_all_of_it() -> None:
    objects = rendered(values=SERVICE)
    for version in ("v1", "v2"):
        pod = named(objects, "Deployment")[f"prices-{version}"]["spec"]["template"]
        [container] = pod["spec"]["containers"]
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
        assert (container["envFrom"], container["volumeMounts"]) == (SERVICE["envFrom"], SERVICE["volumeMounts"])
        assert pod["spec"]["volumes"] == SERVICE["volumes"]
        assert container["ports"] == [
            {"name": "grpc", "containerPort": 8080}, {"name": "http-admin", "containerPort": 9000},
        ]  # fmt: skip
        assert container["readinessProbe"]["httpGet"]["port"] == "grpc"


def test_callers_reach_every_port_by_its_name() -> None:
    ports = named(rendered(values=SERVICE), "Service")["prices"]["spec"]["ports"]
    assert ports == [
        {"name": "grpc", "port": 8080, "targetPort": "grpc"},
        {"name": "http-admin", "port": 9000, "targetPort": "http-admin"},
    ]


def test_metrics_at_the_services_own_port_are_scraped_through_the_proxy() -> None:
    objects = rendered(values=SERVICE)
    endpoint = {"targetPort": "grpc", "path": "/actuator/prometheus", "interval": "5s"}
    assert named(objects, "ServiceMonitor")["prices"]["spec"]["endpoints"] == [endpoint]
    annotations = named(objects, "Deployment")["prices-v1"]["spec"]["template"]["metadata"]["annotations"]
    assert "traffic.sidecar.istio.io/excludeInboundPorts" not in annotations
    scraped = rendered(values={**SERVICE, "monitoring": {"serviceMonitor": False}})
    annotations = named(scraped, "Deployment")["prices-v1"]["spec"]["template"]["metadata"]["annotations"]
    assert (annotations["prometheus.io/port"], annotations["prometheus.io/path"]) == ("8080", "/actuator/prometheus")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"service": {"portName": "predict"}}, "/service/portName"),
        ({"service": {"portName": "http-much-too-long"}}, "/service/portName"),
        ({"service": {"metricsPath": "metrics"}}, "/service/metricsPath"),
        ({"service": {"ports": [{"name": "grpc"}]}}, "/service/ports/0"),
        ({"volumes": [{"emptyDir": {}}]}, "/volumes/0"),
        ({"volumeMounts": [{"name": "scratch"}]}, "/volumeMounts/0"),
        ({"image": {"pullSecrets": "registry"}}, "/image/pullSecrets"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(values: dict[str, Any], words: str) -> None:
    done = helm("template", "sms-app", str(CHART), values=values)
    assert done.returncode != 0
    assert words in done.stderr.replace(".", "/") or words.replace("/", ".").lstrip(".") in done.stderr, done.stderr
