"""The chart as Helm renders it: every values file, and what the schema refuses. Needs Helm, no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.naming import workload_name
from tests.support.templates import CHART, helm, named, refuses, rendered

VALUES = sorted(CHART.glob("values*.yaml"))


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.name)
def test_lint_and_template_accept_every_values_file(values: Path) -> None:
    done = helm("lint", "--strict", str(CHART), "-f", str(values))
    assert done.returncode == 0, done.stdout + done.stderr
    deployments = named(rendered("-f", str(values)), "Deployment")
    assert {"model-service-v1", "model-service-v2", "glidepath-watchdog"} == set(deployments)


def test_the_example_splits_ninety_to_ten() -> None:
    objects = rendered("-f", str(CHART / "values-canary-example.yaml"))
    route = named(objects, "VirtualService")["model-service"]["spec"]["http"][0]["route"]
    assert [(one["destination"]["subset"], one["weight"]) for one in route] == [("v1", 90), ("v2", 10)]


@pytest.mark.parametrize(
    ("service", "version"),
    [
        ("shop", "v" * 47),
        ("shop", "v" * 48),
        ("shop", "v" * 38 + "-01234567"),
        ("s" * 63, "9f2c1d7be0a4c55e8f7d3b2a190cc4d6e5f80a1b"),
        ("shop", "v" * 63),
    ],
)
def test_a_versions_deployment_is_called_as_glidepath_calls_it(service: str, version: str) -> None:
    given = f"service.name={service},roles.stable={version},roles.canary="
    objects = rendered("--set", f"{given},autoscaling.enabled=true")
    name = workload_name(service, version)
    assert set(named(objects, "Deployment")) == {name, "glidepath-watchdog"}
    assert named(objects, "HorizontalPodAutoscaler")[name]["spec"]["scaleTargetRef"]["name"] == name
    labels = named(objects, "Deployment")[name]["spec"]["template"]["metadata"]["labels"]
    assert (labels["app"], labels["version"]) == (service, version)


def test_without_a_canary_there_is_one_version_and_one_destination() -> None:
    objects = rendered("--set", "roles.stable=v7,roles.canary=")
    assert set(named(objects, "Deployment")) == {"model-service-v7", "glidepath-watchdog"}
    subsets = named(objects, "DestinationRule")["model-service"]["spec"]["subsets"]
    assert subsets == [{"name": "v7", "labels": {"version": "v7"}}]
    assert len(named(objects, "VirtualService")["model-service"]["spec"]["http"][0]["route"]) == 1


def test_a_baseline_is_the_stable_image_under_a_name_of_its_own() -> None:
    split = "istio.trafficSplit.stable=60,istio.trafficSplit.canary=20,istio.trafficSplit.baseline=20"
    given = f"roles.baseline=v1-baseline,{split},versions.v1.tag=one,versions.v1.env.SEED=7,versions.v1.replicas=5"
    objects = rendered("--set", given)
    spec = named(objects, "Deployment")["model-service-v1-baseline"]["spec"]
    [container] = spec["template"]["spec"]["containers"]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert container["image"].endswith(":one")
    assert (env["SEED"], env["MODEL_VERSION"], spec["replicas"]) == ("7", "v1-baseline", 1)
    route = named(objects, "VirtualService")["model-service"]["spec"]["http"][0]["route"]
    weights = [(one["destination"]["subset"], one["weight"]) for one in route]
    assert weights == [("v1", 60), ("v2", 20), ("v1-baseline", 20)]
    for wrong, words in (("roles.baseline=v1", "expected a name of its own"), (split, "roles.baseline is empty")):
        refuses(CHART, wrong, words)


def test_the_token_is_on_everything_a_release_holds_and_on_nothing_without_one() -> None:
    with_token, without = rendered("--set-string", "release.token=41"), rendered()
    for kind, name in (
        ("Deployment", "model-service-v1"),
        ("Deployment", "model-service-v2"),
        ("DestinationRule", "model-service"),
        ("VirtualService", "model-service"),
    ):
        metadata = named(with_token, kind)[name]["metadata"]
        assert metadata["annotations"] == {"glidepath.dev/token": "41"}
        assert "annotations" not in named(without, kind)[name]["metadata"]


def test_a_version_may_differ_in_tag_replicas_and_environment() -> None:
    version = "versions.v2.tag=2.0.1,versions.v2.replicas=5,versions.v2.env.DRAIN_S=7"
    one = named(rendered("--set", version), "Deployment")["model-service-v2"]["spec"]
    container = one["template"]["spec"]["containers"][0]
    assert one["replicas"] == 5
    assert container["image"] == "localhost/model-service:2.0.1"
    assert {"name": "DRAIN_S", "value": "7"} in container["env"]


TRIGGERS = """
autoscaling:
  enabled: true
  maxReplicas: 6
  keda:
    triggers:
    - type: prometheus
      metricType: AverageValue
      metadata: {query: 'sum(rate(requests{version="VERSION"}[1m]))', threshold: 25, ignoreNullValues: false}
      authenticationRef: {name: of-ours}
"""


def test_kedas_scaled_object_is_there_for_each_version(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(TRIGGERS)
    objects = rendered("-f", str(file), "--set", "versions.v2.replicas=3")
    found = named(objects, "ScaledObject")
    assert set(found) == {"model-service-v1", "model-service-v2"}
    spec = found["model-service-v2"]["spec"]
    assert (spec["scaleTargetRef"], spec["minReplicaCount"], spec["maxReplicaCount"]) == (
        {"name": "model-service-v2"}, 3, 6,
    )  # fmt: skip
    [trigger] = spec["triggers"]
    assert trigger == {
        "type": "prometheus",
        "metricType": "AverageValue",
        "metadata": {
            "query": 'sum(rate(requests{version="v2"}[1m]))', "threshold": "25", "ignoreNullValues": "false",
        },
        "authenticationRef": {"name": "of-ours"},
    }  # fmt: skip
    assert not named(objects, "HorizontalPodAutoscaler")
    assert all("replicas" not in one["spec"] for name, one in named(objects, "Deployment").items() if "-v" in name)
    [role] = [one for one in objects if one["kind"] == "Role" and one["metadata"]["name"] == "glidepath"]
    assert any(rule["apiGroups"] == ["keda.sh"] for rule in role["rules"])


def test_who_scales_a_service_himself_finds_no_replicas_rendered() -> None:
    objects = rendered("--set", "autoscaling.external=true")
    deployments = named(objects, "Deployment")
    assert "replicas" not in deployments["model-service-v1"]["spec"]
    assert "replicas" not in deployments["model-service-v2"]["spec"]
    assert not [one for one in objects if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")]


def test_an_environments_names_are_texts() -> None:
    one = named(rendered("--set", "env.ON=1,env.N=2,versions.v1.env.Y=3"), "Deployment")["model-service-v1"]
    names = [entry["name"] for entry in one["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert {"ON", "N", "Y"} <= set(names)


def test_a_digest_pins_the_image() -> None:
    digest = "sha256:" + "a" * 64
    one = named(rendered("--set", f"image.digests.v2={digest}"), "Deployment")["model-service-v2"]
    assert one["spec"]["template"]["spec"]["containers"][0]["image"] == f"localhost/model-service@{digest}"


def test_containers_are_confined() -> None:
    for one in named(rendered(), "Deployment").values():
        pod = one["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


def test_who_may_call_the_service_is_told_to_the_network() -> None:
    assert not named(rendered(), "NetworkPolicy")
    given = "networkPolicy.enabled=true,networkPolicy.from={istio-system,prometheus}"
    spec = named(rendered("--set", given), "NetworkPolicy")["model-service"]["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app": "model-service"}}
    [rule] = spec["ingress"]
    own, *others = rule["from"]
    assert own == {"podSelector": {}}
    names = [one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for one in others]
    assert names == ["istio-system", "prometheus"]


def test_an_existing_gateway_is_referred_to() -> None:
    objects = rendered("--set", "istio.gateway.existing=istio-system/shared")
    assert not named(objects, "Gateway")
    service = named(objects, "VirtualService")["model-service"]
    assert service["spec"]["gateways"] == ["mesh", "istio-system/shared"]


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("istio.trafficSplit.stable=90", "add up to 100"),
        ("istio.trafficSplit.canary=150", "150"),
        ("roles.canary=v1", "two different versions"),
        ("roles.canary=,istio.trafficSplit.stable=90,istio.trafficSplit.canary=10", "roles.canary is empty"),
        ("roles.stable=V1", "pattern"),
        ("trafficsplit.stable=90", "additional properties"),
        ("istio.trafficsplit.stable=90", "additional properties"),
        ("replicas.stable=many", "got string, want integer"),
        ("versions.v2.image=x", "additional properties"),
        ("autoscaling.enabled=true,autoscaling.external=true", "autoscaling"),
        ("autoscaling.keda.triggers[0].type=cron", "metadata"),
    ],
)
def test_wrong_values_are_refused_by_name(setting: str, word: str) -> None:
    refuses(CHART, setting, word)


def test_there_is_one_way_to_scrape_the_pods() -> None:
    """With a monitor and annotations each pod may be scraped by two jobs."""
    for monitored in (True, False):
        objects = rendered("--set", f"monitoring.serviceMonitor={str(monitored).lower()}")
        monitors = named(objects, "ServiceMonitor")
        assert list(monitors) == (["model-service"] if monitored else [])
        for one in named(objects, "Deployment").values():
            if one["metadata"]["labels"].get("app") == "model-service":
                marks = one["spec"]["template"]["metadata"]["annotations"]
                assert sorted(mark for mark in marks if "scrape" in mark or "prometheus.io" in mark) == (
                    [] if monitored else
                    ["glidepath.dev/scrape-port", "prometheus.io/path", "prometheus.io/port", "prometheus.io/scrape"]
                )  # fmt: skip
