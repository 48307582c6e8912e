"""`glidepath init` on a service that runs by plain Helm: a policy to adopt it by."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from glidepath.cli import first
from glidepath.cli.main import GOOD, REFUSED, main
from glidepath.cli.plain import version_of
from glidepath.errors import HelmError
from tests.support.apiserver import DEPLOYMENTS, NAMESPACE, SERVICE, SERVICES, STATEFULSETS, ApiServer
from tests.unit.cli.test_first import Answering, exposing
from tests.unit.evidence.behaviour.test_presets import kept

HASH = "5d4f9c7b6d"
LABELS = {"app.kubernetes.io/name": SERVICE, "app.kubernetes.io/instance": SERVICE}
GIVEN = {
    "fullnameOverride": SERVICE, "replicaCount": 3, "image": {"repository": "localhost/shop", "tag": "1.4.2"},
    "service": {"port": 8000}, "podAnnotations": {"prometheus.io/scrape": "true"},
}  # fmt: skip


def deployment(name: str, image: str = "registry:5000/shop:1.4.2", **labels: str) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {**LABELS, **labels}},
        "spec": {"containers": [{"name": "shop", "image": image}]},
    }
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}, "status": {"availableReplicas": 3},
        "metadata": {"name": name, "annotations": {"meta.helm.sh/release-name": "shop-release"}},
    }  # fmt: skip


class PlainHelm:
    """What Helm says of the release."""

    fails, of, objects = "", "shop-release", list[dict[str, Any]]()

    def __init__(self, _: Any, release: str, *__: Any) -> None:
        assert release == self.of

    def status(self) -> Any:
        if self.fails:
            raise HelmError(self.fails)
        return SimpleNamespace(values=GIVEN)

    def deployed(self) -> Any:
        service = {"kind": "Service", "metadata": {"name": SERVICE}, "spec": {"selector": LABELS}}
        return SimpleNamespace(objects=[service, deployment(SERVICE), *self.objects])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with ApiServer() as server:
        server.put(DEPLOYMENTS, deployment(SERVICE))
        server.put(
            SERVICES,
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE}, "spec": {"selector": LABELS}},
        )
        monkeypatch.setattr(first, "cluster", lambda *_: server.api())
        monkeypatch.setattr("glidepath.wiring.deploy.Helm", PlainHelm)
        yield server


def ran(monkeypatch: pytest.MonkeyPatch, *more: str, scraped: Answering | None = None) -> int:
    pod = f"{SERVICE}-{HASH}-x2k9q"
    found = scraped or exposing(*kept("promhttp"), pod=pod, namespace=NAMESPACE, instance=pod)
    monkeypatch.setattr(first, "prometheus_at", lambda *_: found)
    return main(["init", "--service", SERVICE, "-n", NAMESPACE, "--prometheus", "http://p", *more])


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("shop:1.4.2", "1.4.2"),
        ("registry:5000/team/shop:v1", "v1"),
        ("registry:5000/team/shop", "latest"),
        ("shop:v1@sha256:ab", "sha256:ab"),
    ],
)
def test_a_version_is_the_tag_or_digest_of_an_image(image: str, version: str) -> None:
    assert version_of(image) == version


@pytest.mark.usefixtures("server")
def test_the_policy_has_what_runs_and_how_it_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, "--chart", "charts/shop") == GOOD
    out, err = capsys.readouterr()
    made = yaml.safe_load(out)
    assert made["helm"] == {
        "release": "shop-release", "chart": "charts/shop", "per_version": True,
        "values": {
            "image": {"repository": "localhost/shop"}, "service": {"port": 8000},
            "podAnnotations": {"prometheus.io/scrape": "true"},
        },
    }  # fmt: skip
    assert made["evidence"]["source"] == "promhttp"
    assert "requests a second of 1.4.2, counted by 1 pods" in out
    [told] = err.splitlines()
    assert "glidepath adopt FILE --version 1.4.2" in told


def test_of_one_that_is_adopted_it_is_the_routes_release_and_the_versions_values(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.objects.pop((DEPLOYMENTS, SERVICE))
    labels, made = {"app": SERVICE, "version": "v1"}, "meta.helm.sh/release-name"
    one = deployment(f"{SERVICE}-v1")
    one["metadata"] |= {"labels": labels, "annotations": {made: f"{SERVICE}-v1"}}
    server.put(DEPLOYMENTS, one)
    called = {"name": SERVICE, "annotations": {made: "shop-routes"}}
    spec = {"selector": {"app": SERVICE}}
    server.put(SERVICES, {"apiVersion": "v1", "kind": "Service", "metadata": called, "spec": spec}, force=True)
    monkeypatch.setattr(PlainHelm, "of", f"{SERVICE}-v1")
    pod = f"{SERVICE}-v1-5d4f9c7b6d-x2k9q"
    scraped = exposing(*kept("promhttp"), pod=pod, namespace=NAMESPACE, instance=pod)
    assert ran(monkeypatch, scraped=scraped) == GOOD
    out, err = capsys.readouterr()
    helm = yaml.safe_load(out)["helm"]
    assert (helm["release"], helm["per_version"]) == ("shop-routes", True)
    assert helm["values"]["image"] == {"repository": "localhost/shop"}
    assert "missing: helm.chart: the folder or packed file" in err
    assert "glidepath adopt" not in err


def test_a_statefulset_is_found_by_its_pods_numbers(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.objects.pop((DEPLOYMENTS, SERVICE))
    server.put(STATEFULSETS, {**deployment(SERVICE), "kind": "StatefulSet"})
    pod = f"{SERVICE}-0"
    scraped = exposing(*kept("promhttp"), pod=pod, namespace=NAMESPACE, instance=pod)
    assert ran(monkeypatch, "--chart", "charts/shop", scraped=scraped) == GOOD
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["evidence"]["source"] == "promhttp"
    assert "glidepath adopt FILE --version 1.4.2" in err


@pytest.mark.usefixtures("server")
def test_without_a_chart_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(monkeypatch) == GOOD
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["helm"]["chart"] == "charts/CHART"
    assert "missing: helm.chart: " in err


@pytest.mark.usefixtures("server")
def test_what_the_mesh_counts_of_pods_without_a_version_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"reporter": "source", "destination_service_name": SERVICE, "destination_service_namespace": NAMESPACE}
    told = ",".join(f'{name}="{value}"' for name, value in {**own, "destination_version": "unknown"}.items())
    scrapes = [f'istio_requests_total{{{told},response_code="200"}} {count}\n' for count in (10, 200)]
    assert ran(monkeypatch, scraped=exposing(*scrapes, pod="caller", namespace="edge")) == GOOD
    assert yaml.safe_load(capsys.readouterr().out)["evidence"]["source"] == "istio"


@pytest.mark.usefixtures("server")
def test_what_keeps_it_from_being_adopted_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ingress = {"kind": "Ingress", "metadata": {"name": SERVICE}, "spec": {}}
    monkeypatch.setattr(PlainHelm, "objects", [ingress])
    assert ran(monkeypatch) == GOOD
    assert f"missing: Ingress {SERVICE}: each version would bring one" in capsys.readouterr().err
    monkeypatch.setattr(PlainHelm, "fails", "helm is not at 'helm'")
    assert ran(monkeypatch) == GOOD
    assert "what Helm's release shop-release was given could not be read: helm is not at" in capsys.readouterr().err


def test_what_helm_has_not_made_is_said_to_be_none_of_its(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = deployment(SERVICE)
    made["metadata"]["annotations"] = {}
    server.objects.pop((DEPLOYMENTS, SERVICE))
    server.put(DEPLOYMENTS, made)
    assert ran(monkeypatch) == GOOD
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["helm"]["values"] == {}
    assert f"missing: no Helm release made what Service {SERVICE} leads to" in err


def test_a_service_of_two_deployments_is_none_to_adopt(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.put(DEPLOYMENTS, deployment("another"))
    assert ran(monkeypatch) == REFUSED
    assert f"no Deployment or StatefulSet that a Service {SERVICE} leads to alone" in capsys.readouterr().err
