"""Services that nobody here wrote for Glidepath, released as they are: the chart that `helm create` makes, their own names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from glidepath.cli.main import GOOD, main
from rig.environment import REPO, cluster, glidepath_kubeconfig, helm, kubeconfig_file, kubectl
from tests.support.chart import OWN_PARTS, plain_chart

NAMESPACE = "services"
RATE = 100.0
PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/traffic-generator:9090/proxy"
SIDECAR = {
    "proxy.istio.io/config": '{"holdApplicationUntilProxyStarts": true, "terminationDrainDuration": "20s"}',
    "sidecar.istio.io/proxyCPU": "50m",
    "sidecar.istio.io/proxyMemory": "64Mi",
}
POLICY: dict[str, Any] = {
    "namespace": NAMESPACE,
    "connections": {"kubernetes": "kubernetes_services"},
    "steps": [{"weight": 50, "bake": "20s", "min_requests": 500}],
    "max_duration": "20m",
    "deploy_timeout": "3m",
    "lease": "30s",
}
# Each is a release of minutes on a cluster: some of two services in `make test`, all in `make test-services`.
MARKS = [pytest.mark.cluster, pytest.mark.timeout(900)]
LONG = [*MARKS, pytest.mark.long]
# How often and how far back they are looked at, and what most are judged by.
SEEN = {"scrape": "5s", "baseline": "5m"}
ERRORS: dict[str, Any] = {"kind": "errors", "harm_margin": 0.001, "safety_margin": 0.01}
P95: dict[str, Any] = {"kind": "latency", "quantile": 0.95, "tolerance": 1.3}
# What the callers' proxies count. The sandbox's say no code with a latency, which Istio's own do.
BY_MESH: dict[str, Any] = {
    "source": "istio",
    "counts": {
        "latency": {"histogram": "istio_request_duration_milliseconds", "unit": "milliseconds", "binned": True},
    },
    **SEEN,
}


@dataclass(frozen=True)
class Service:
    """A service, and the chart's values that one would put into values.yaml for it.

    Attributes:
        name: Its name, that of its image and of its Helm release.
        path: What callers ask it for.
        port: The port that it answers them on.
        given: The values beside image and port.
        evidence: What its policy says of its own metrics.
        metrics: What is judged by these.
        port_name: What its chart calls its port; `http`, as that of `helm create`.
        scraped: The port that its metrics are on; None: that of the service.
        caller: The traffic generator's image.
        answers: What callers are answered when all is well, and when it is not.
    """

    name: str
    path: str
    port: int
    given: Mapping[str, Any]
    evidence: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]]
    port_name: str = "http"
    scraped: int | None = None
    caller: str = "traffic-generator"
    answers: tuple[str, str] = ("200", "503")

    @property
    def dag_id(self) -> str:
        """Its DAG."""
        return f"release_{self.name}"

    def write(self, policies: Path, charts: Path, **changes: Any) -> None:
        """Put the chart into a folder and the policy, with some keys changed, into another."""
        chart = self.chart(charts)
        if not chart.exists():
            charts.mkdir(parents=True, exist_ok=True)
            plain_chart(charts, chart.name)
            for name in ("service", "deployment"):
                template = chart / "templates" / f"{name}.yaml"
                made = template.read_text().replace("name: http\n", f"name: {self.port_name}\n")
                template.write_text(made.replace("targetPort: http\n", f"targetPort: {self.port_name}\n"))
        asked = {
            "release": self.name, "chart": str(chart), "routes": str(REPO / "include" / "charts" / "routes"),
            "per_version": True, "values": self.values(),
        }  # fmt: skip
        own = {"service": self.name, "evidence": {**SEEN, **self.evidence}, "metrics": self.metrics, "helm": asked}
        policy = json.loads(json.dumps({**POLICY, **own, **changes}))
        (policies / f"{self.name}.yaml").write_text(yaml.safe_dump(policy, sort_keys=False))

    def chart(self, charts: Path) -> Path:
        """Where its chart is: what `helm create` makes, with the name of its port."""
        return charts / f"someones-{self.port_name}"

    def values(self) -> dict[str, Any]:
        """The chart's values, whatever the version."""
        annotations = {"glidepath.dev/scrape-port": str(self.scraped or self.port), **SIDECAR}
        return {
            "image": {"repository": f"localhost/{self.name}"},
            "service": {"port": self.port},
            "podAnnotations": annotations,
            # Without a request a pod gets next to nothing of a machine that others use.
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            **json.loads(json.dumps(self.given)),
        }

    def install(self, charts: Path) -> None:
        """v1 of it under traffic, by plain Helm as one version; and Glidepath's parts. All of the namespace is made anew."""
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", timeout_s=180)
        kubectl("create", "namespace", NAMESPACE)
        kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
        given = f"services[0].name={self.name},services[0].perVersion=true"
        helm("upgrade", "--install", "glidepath", OWN_PARTS, "-n", NAMESPACE, "--set", given)
        own = self.values()
        own |= {"fullnameOverride": self.name, "replicaCount": 2, "image": {**own["image"], "tag": "v1"}}
        values = charts / "values.json"
        values.write_text(json.dumps(own))
        helm("install", self.name, str(self.chart(charts)), "-n", NAMESPACE, "-f", str(values))
        kubectl("apply", "-f", "-", given=self._traffic())
        for name in (self.name, "glidepath-watchdog", "traffic-generator"):
            kubectl("rollout", "status", f"deployment/{name}", "-n", NAMESPACE, "--timeout=180s", timeout_s=190)
        glidepath_kubeconfig(NAMESPACE)
        rate(RATE)

    def adopt(self, policies: Path, *how: str) -> None:
        """What a person does with `glidepath adopt`.

        Raises:
            AssertionError: It ended otherwise than well.
        """
        env = cluster()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GLIDEPATH_HELM", env["HELM"])
            file = str(policies / f"{self.name}.yaml")
            assert main(["adopt", file, *how, "--drain", "10", "--kubeconfig", env["KUBECONFIG"]]) == GOOD

    def wait_scraped(self, version: str, count: int, timeout_s: float = 180) -> None:
        """Wait until the cluster's Prometheus has seen a version answer so many requests.

        Raises:
            AssertionError: It has not in time.
        """
        query = (
            f'sum(istio_requests_total{{destination_service_namespace="{NAMESPACE}",destination_version="{version}"}})'
        )
        until, seen, url = time.monotonic() + timeout_s, 0.0, cluster()["PROMETHEUS_URL"]
        while seen < count:
            assert time.monotonic() < until, f"{version} was seen to answer {seen:.0f} requests, expected {count}"
            time.sleep(1)
            answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=5).json()["data"]["result"]
            seen = float(answer[0]["value"][1]) if answer else 0.0

    @contextmanager
    def with_fault(self, version: str, **fault: Any) -> Iterator[None]:
        """A version's own proxies do this to requests (Envoy's HTTPFault): `abort` or `delay`."""
        router = {
            "filter": {
                "name": "envoy.filters.network.http_connection_manager",
                "subFilter": {"name": "envoy.filters.http.router"},
            }
        }
        made = {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "headers": [{"name": ":path", "string_match": {"prefix": self.path.partition("?")[0]}}],
            **fault,
        }
        patch = {
            "applyTo": "HTTP_FILTER",
            "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": router}},
            "patch": {
                "operation": "INSERT_BEFORE",
                "value": {"name": "envoy.filters.http.fault", "typed_config": made},
            },
        }
        labels = {"app": self.name, "version": version}
        written = {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": "fault", "namespace": NAMESPACE},
            "spec": {"workloadSelector": {"labels": labels}, "configPatches": [patch]},
        }
        kubectl("apply", "-f", "-", given=json.dumps(written))
        try:
            yield
        finally:
            kubectl("delete", "envoyfilter", "fault", "-n", NAMESPACE)

    def _traffic(self) -> str:
        """The example's generator, which asks this service instead."""
        objects = list(yaml.safe_load_all((REPO / "examples" / "traffic" / "traffic.yaml").read_text()))
        url = f"http://{self.name}:{self.port}{self.path}"
        own = {"SERVICE_URL": url, "GATEWAY_SHARE": "0"}
        target = f"{self.name}:{self.port}"
        for one in objects:
            one["metadata"]["namespace"] = NAMESPACE
        container = objects[0]["spec"]["template"]["spec"]["containers"][0]
        for variable in container["env"]:
            variable["value"] = own.get(variable["name"], variable["value"])
        container["env"].append({"name": "GRPC_TARGET", "value": target})
        container["image"] = f"localhost/{self.caller}:local"
        return yaml.safe_dump_all(objects)


def probes(alive: str, ready: str) -> dict[str, Any]:
    """The chart's values for probes by HTTP of these paths."""
    return {
        "livenessProbe": {"httpGet": {"path": alive, "port": "http"}},
        "readinessProbe": {"httpGet": {"path": ready, "port": "http"}, "periodSeconds": 2},
    }


def percent(number: int) -> dict[str, Any]:
    """How Envoy says so many percent."""
    return {"numerator": number, "denominator": "HUNDRED"}


def connections() -> Mapping[str, str]:
    """Airflow's connection to the services' namespace."""
    extra = {"kube_config_path": str(kubeconfig_file(NAMESPACE))}
    return {"AIRFLOW_CONN_KUBERNETES_SERVICES": json.dumps({"conn_type": "kubernetes", "extra": extra})}


def rate(per_second: float) -> None:
    """Send so many requests a second from now on."""
    kubectl("create", "--raw", f"{PROXY}/rate", "-f", "-", given=json.dumps({"rate": per_second}))


def statuses(since: float) -> dict[str, int]:
    """What callers were answered since, epoch seconds; nobody says which version it is."""
    answer = json.loads(kubectl("get", "--raw", f"{PROXY}/counts?since={since:.3f}"))
    found: dict[str, int] = {}
    for one in answer.values():
        for status, count in one["statuses"].items():
            found[status] = found.get(status, 0) + count
    return found


def wait_answered(well: str, count: int, timeout_s: float = 120) -> None:
    """Wait until callers were answered so many times in a row without a failure; `well` is what they are answered then.

    Raises:
        AssertionError: They were not in time.
    """
    until, began = time.monotonic() + timeout_s, time.time()
    while (seen := statuses(began)).get(well, 0) < count:
        assert time.monotonic() < until, f"callers were answered {seen}, expected {count} times {well}"
        if set(seen) - {well}:
            began = time.time()
        time.sleep(1)


def remove() -> None:
    """Take the service away."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
