"""Prometheus itself as a released service: by the chart that `helm create` makes, with its own metrics' names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from glidepath.cli.main import GOOD, main
from rig.environment import REPO, cluster, glidepath_kubeconfig, helm, kubeconfig_file, kubectl
from tests.support.chart import OWN_PARTS, plain_chart

NAMESPACE, SERVICE = "metrics", "metrics"
DAG_ID = "release_metrics"
RATE = 100.0
PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/traffic-generator:9090/proxy"
ANNOTATIONS = {
    "glidepath.dev/scrape-port": "9090",
    "proxy.istio.io/config": '{"holdApplicationUntilProxyStarts": true, "terminationDrainDuration": "20s"}',
    "sidecar.istio.io/proxyCPU": "50m",
    "sidecar.istio.io/proxyMemory": "64Mi",
}
# What one would put into values.yaml for any service.
GIVEN: dict[str, Any] = {
    "image": {"repository": "localhost/prometheus"},
    "service": {"port": 9090},
    "podAnnotations": ANNOTATIONS,
    "livenessProbe": {"httpGet": {"path": "/-/healthy", "port": "http"}},
    "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "http"}, "periodSeconds": 2},
    "volumes": [{"name": "data", "emptyDir": {}}],
    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
}
POLICY: dict[str, Any] = {
    "service": SERVICE,
    "namespace": NAMESPACE,
    "connections": {"kubernetes": "kubernetes_metrics"},
    "steps": [{"weight": 50, "bake": "20s", "min_requests": 500}],
    "evidence": {
        "source": "own",
        "scrape": "5s",
        "baseline": "5m",
        "counts": {
            "requests": "prometheus_http_requests_total",
            "where": {"namespace": "{namespace}"},
            "errors": {"code": "=~5.."},
            "client_errors": {"code": "=~4.."},
            "ignore": {"handler": ["/metrics", "=~/-/.*"]},
            "latency": {"histogram": "prometheus_http_request_duration_seconds"},
            "version": {"pod_name": True},
            "seen_by": "service",
        },
    },
    "metrics": [
        {"kind": "errors", "harm_margin": 0.001, "safety_margin": 0.01},
        {"kind": "errors", "source": "istio", "harm_margin": 0.001, "safety_margin": 0.01},
        {"kind": "latency", "quantile": 0.95, "tolerance": 2.0, "role": "guard"},
    ],
    "max_duration": "20m",
    "deploy_timeout": "3m",
    "lease": "30s",
}


def connections() -> Mapping[str, str]:
    """Airflow's connection to the service's namespace."""
    extra = {"kube_config_path": str(kubeconfig_file(NAMESPACE))}
    return {"AIRFLOW_CONN_KUBERNETES_METRICS": json.dumps({"conn_type": "kubernetes", "extra": extra})}


def write(policies: Path, charts: Path) -> None:
    """Put the chart into a folder, and the policy into another."""
    chart = charts / "someones"
    if not chart.exists():
        charts.mkdir(parents=True, exist_ok=True)
        plain_chart(charts, chart.name)
    asked = {
        "release": SERVICE, "chart": str(chart), "routes": str(REPO / "include" / "charts" / "routes"),
        "per_version": True, "values": GIVEN,
    }  # fmt: skip
    (policies / f"{SERVICE}.yaml").write_text(yaml.safe_dump({**POLICY, "helm": asked}, sort_keys=False))


def installed(charts: Path) -> None:
    """v1 of it under traffic, by plain Helm as one version; and Glidepath's parts. Made anew."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", timeout_s=180)
    kubectl("create", "namespace", NAMESPACE)
    kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
    given = f"services[0].name={SERVICE},services[0].perVersion=true"
    helm("upgrade", "--install", "glidepath", OWN_PARTS, "-n", NAMESPACE, "--set", given)
    own = json.dumps(
        {**GIVEN, "fullnameOverride": SERVICE, "replicaCount": 2, "image": {**GIVEN["image"], "tag": "v1"}}
    )
    values = charts / "values.json"
    values.write_text(own)
    helm("install", SERVICE, str(charts / "someones"), "-n", NAMESPACE, "-f", str(values))
    kubectl("apply", "-f", "-", given=_traffic())
    for name in (SERVICE, "glidepath-watchdog", "traffic-generator"):
        kubectl("rollout", "status", f"deployment/{name}", "-n", NAMESPACE, "--timeout=180s", timeout_s=190)
    glidepath_kubeconfig(NAMESPACE)
    rate(RATE)


def adopt(policies: Path, *how: str) -> None:
    """What a person does with `glidepath adopt`.

    Raises:
        AssertionError: It ended otherwise than well.
    """
    env = cluster()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLIDEPATH_HELM", env["HELM"])
        argv = ["adopt", str(policies / f"{SERVICE}.yaml"), *how, "--drain", "10", "--kubeconfig", env["KUBECONFIG"]]
        assert main(argv) == GOOD


def _traffic() -> str:
    """The example's generator, which asks this service's query API instead."""
    objects = list(yaml.safe_load_all((REPO / "examples" / "traffic" / "traffic.yaml").read_text()))
    own = {"SERVICE_URL": f"http://{SERVICE}:9090/api/v1/query?query=up", "GATEWAY_SHARE": "0"}
    for one in objects:
        one["metadata"]["namespace"] = NAMESPACE
    container = objects[0]["spec"]["template"]["spec"]["containers"][0]
    for variable in container["env"]:
        variable["value"] = own.get(variable["name"], variable["value"])
    return yaml.safe_dump_all(objects)


def rate(per_second: float) -> None:
    """Send so many requests a second from now on."""
    kubectl("create", "--raw", f"{PROXY}/rate", "-f", "-", given=json.dumps({"rate": per_second}))


def statuses(since: float) -> dict[str, int]:
    """What callers were answered since, epoch seconds; Prometheus does not say which version it is."""
    answer = json.loads(kubectl("get", "--raw", f"{PROXY}/counts?since={since:.3f}"))
    found: dict[str, int] = {}
    for one in answer.values():
        for status, count in one["statuses"].items():
            found[status] = found.get(status, 0) + count
    return found


def wait_answered(count: int, timeout_s: float = 120) -> None:
    """Wait until callers were answered so many times in a row without a failure.

    Raises:
        AssertionError: They were not in time.
    """
    until, began = time.monotonic() + timeout_s, time.time()
    while (seen := statuses(began)).get("200", 0) < count:
        assert time.monotonic() < until, f"callers were answered {seen}, expected {count} times 200"
        if set(seen) - {"200"}:
            began = time.time()
        time.sleep(1)


def wait_scraped(version: str, count: int, timeout_s: float = 180) -> None:
    """Wait until the cluster's Prometheus has seen a version answer so many requests.

    Raises:
        AssertionError: It has not in time.
    """
    query = f'sum(prometheus_http_requests_total{{namespace="{NAMESPACE}",pod=~"{SERVICE}-{version}-.*",handler="/api/v1/query"}})'
    until, seen = time.monotonic() + timeout_s, 0.0
    while seen < count:
        assert time.monotonic() < until, f"{version} was seen to answer {seen:.0f} requests, expected {count}"
        time.sleep(1)
        answer = requests.get(f"{cluster()['PROMETHEUS_URL']}/api/v1/query", params={"query": query}, timeout=5).json()
        seen = float(answer["data"]["result"][0]["value"][1]) if answer["data"]["result"] else 0.0


@contextmanager
def failing_at_the_mesh(version: str, percent: int) -> Iterator[None]:
    """A version's own proxies answer so many percent of the requests with 503, instead of it."""
    abort = {"http_status": 503, "percentage": {"numerator": percent, "denominator": "HUNDRED"}}
    router = {
        "filter": {
            "name": "envoy.filters.network.http_connection_manager",
            "subFilter": {"name": "envoy.filters.http.router"},
        }
    }
    fault = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": abort,
        "headers": [{"name": ":path", "string_match": {"prefix": "/api/"}}],
    }
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": router}},
        "patch": {"operation": "INSERT_BEFORE", "value": {"name": "envoy.filters.http.fault", "typed_config": fault}},
    }
    made = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "fault", "namespace": NAMESPACE},
        "spec": {"workloadSelector": {"labels": {"app": SERVICE, "version": version}}, "configPatches": [patch]},
    }
    kubectl("apply", "-f", "-", given=json.dumps(made))
    try:
        yield
    finally:
        kubectl("delete", "envoyfilter", "fault", "-n", NAMESPACE)


def remove() -> None:
    """Take the service away."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
