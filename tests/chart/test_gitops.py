"""What a GitOps controller's sync leaves on the real API server, and a pause of its sync."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from kubernetes import client, config

from glidepath.deploy import KubernetesWorkloads
from glidepath.handover import Sync
from rig.environment import RigError, cluster, helm, kubectl
from tests.support.chart import CHART, fresh, installed

pytestmark = pytest.mark.cluster
NAMESPACE, SERVICE = "gitops-test", "synced"
GIVEN = (
    f"service.name={SERVICE},replicas.stable=0,replicas.canary=0,glidepath.watchdog.enabled=false,"
    "istio.hosts={synced.example.com}"
)
TRACKED = "argocd.argoproj.io/tracking-id"
PLURALS = {"Application": ("argoproj.io", "v1alpha1"), "HelmRelease": ("helm.toolkit.fluxcd.io", "v2")}


@pytest.fixture(scope="module")
def api() -> client.ApiClient:
    """The API as its administrator."""
    return config.new_client_from_config(cluster()["KUBECONFIG"])


def rendered() -> list[dict[str, object]]:
    """The chart's manifests as a controller has them, which renders without Helm's knowing."""
    text = kubectl(
        "create", "--dry-run=client", "-o", "json", "-n", NAMESPACE, "-f", "-",
        given=helm("template", "app", CHART, "-n", NAMESPACE, "--set", GIVEN),
    )  # fmt: skip
    found, decoder = [], json.JSONDecoder()
    while text.strip():
        one, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found += one["items"] if one["kind"] == "List" else [one]
    return found


def sync(server_side: bool) -> None:
    """A sync of Argo CD's, marked as it marks."""
    objects = rendered()
    for one in objects:
        metadata: dict[str, object] = one["metadata"]  # type: ignore[assignment]
        notes: dict[str, str] = metadata.setdefault("annotations", {})  # type: ignore[assignment]
        notes[TRACKED] = f"shop:{one['kind']}:{NAMESPACE}/{metadata['name']}"
    how = ("--server-side", "--force-conflicts") if server_side else ()
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl("apply", *how, "--field-manager=argocd-controller", "-n", NAMESPACE, "-f", "-", given=body)


@pytest.mark.parametrize("server_side", [True, False], ids=["server-side", "client-side"])
def test_a_sync_leaves_marks_on_every_object_of_the_service(api: client.ApiClient, server_side: bool) -> None:
    with installed(NAMESPACE, GIVEN):
        workloads = KubernetesWorkloads(api, NAMESPACE, SERVICE)
        assert workloads.marks("app") == []
        sync(server_side)
        found = workloads.marks("app")
    assert {one.controller for one in found} == {"Argo CD"}
    wheres = {one.where for one in found}
    assert {f"VirtualService {SERVICE}", f"DestinationRule {SERVICE}", f"Deployment {SERVICE}-v1"} <= wheres
    assert all(one.what.startswith(f"annotation {TRACKED}=shop:") for one in found)


def test_what_a_controller_alone_has_made_helm_can_take_over(api: client.ApiClient) -> None:
    over = "--install", "--take-ownership", "--force-conflicts", "--set", GIVEN
    with fresh(NAMESPACE, "app"):
        sync(server_side=False)
        with pytest.raises(RigError, match="invalid ownership metadata"):
            helm("install", "app", CHART, "-n", NAMESPACE, "--set", GIVEN)
        helm("upgrade", "app", CHART, "-n", NAMESPACE, *over)
        assert KubernetesWorkloads(api, NAMESPACE, SERVICE).helm_revision("app") is not None


def definition(kind: str) -> dict[str, object]:
    """The CRD of a controller's object, as far as a pause needs it."""
    group, version = PLURALS[kind]
    plural = f"{kind.lower()}s"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture(params=PLURALS)
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """A kind whose sync can be paused; it is served while the test runs, with one object `shop`."""
    kind: str = request.param
    group, version = PLURALS[kind]
    kubectl("apply", "--server-side", "-f", "-", given=json.dumps(definition(kind)))
    name = f"{kind.lower()}s.{group}"
    kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s", timeout_s=70)
    body = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "shop"}, "spec": {"interval": "1m"}}
    kubectl("apply", "--server-side", "--field-manager=kustomize-controller", "-n", "default", "-f", "-",
            given=json.dumps(body))  # fmt: skip
    yield kind
    kubectl("delete", "crd", name, "--wait=false")


def test_a_pause_is_written_and_taken_away_and_survives_the_parent_s_next_apply(
    api: client.ApiClient, kind: str
) -> None:
    one, before = Sync(api, kind, "default", "shop"), found(kind)
    assert one.check() == f"{kind} default/shop"
    assert one.pause("dag/run").endswith("is paused")
    assert one.pause("dag/run").endswith("was paused already")
    body = {**before, "metadata": {"name": "shop"}}
    kubectl("apply", "--server-side", "--field-manager=kustomize-controller", "-n", "default", "-f", "-",
            given=json.dumps(body))  # fmt: skip
    assert "paused by dag/run still" in one.check()
    now = found(kind)
    notes = now["metadata"]["annotations"]
    paused = now["spec"].get("suspend") or notes.get("argocd.argoproj.io/skip-reconcile") == "true"
    assert paused is True
    assert one.resume().endswith("goes on")
    assert one.resume().endswith("is left as it is")
    after = found(kind)
    assert not after["spec"].get("suspend")
    # Argo CD removes what asks it to look anew, and none runs here.
    asked = {"argocd.argoproj.io/refresh": "normal"} if kind == "Application" else {}
    assert (after["metadata"].get("annotations") or {}) == asked


def found(kind: str) -> dict[str, dict[str, dict[str, object]]]:
    """The object as it is."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return dict(json.loads(kubectl("get", kind.lower(), "shop", "-n", "default", "-o", "json")))
        except RigError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
