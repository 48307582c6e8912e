"""A plain chart that makes a StatefulSet: adopted, released, taken back, on the real API server with its own controllers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from glidepath.errors import PreflightError
from glidepath.policy import Image
from glidepath.policy.load import parse_policy
from glidepath.release.drift import objects_drift
from glidepath.wiring.deploy import adoption
from rig.environment import RigError, cluster, glidepath_kubeconfig, helm, kubectl
from tests.support.chart import OWN_PARTS, any_policy, fresh, install_plain, plain_chart
from tests.support.driven import Driven

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
NAMESPACE, SERVICE = "statefulset-test", "ordinal"
GIVEN = (
    "image: {repository: localhost/model-service}, service: {port: 8081}, "
    "livenessProbe: {httpGet: {path: /healthz, port: http}}, "
    "readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}"
)
PARTS = f"services[0].name={SERVICE},services[0].perVersion=true,watchdog.enabled=false"
OF = ("-n", NAMESPACE)


def of_sets(chart: Path, volumes: str = "") -> Path:
    """A chart of `helm create` with a StatefulSet in the place of its Deployment."""
    template = chart / "templates" / "deployment.yaml"
    text = template.read_text().replace("kind: Deployment", "kind: StatefulSet", 1)
    name = f'{{{{ include "{chart.name}.fullname" . }}}}'
    template.write_text(text.replace("\nspec:\n", f"\nspec:\n  serviceName: {name}\n{volumes}", 1))
    return chart


VOLUMES = """\
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
"""


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Installed by plain Helm as v1, beside Glidepath's parts."""
    folder = tmp_path_factory.mktemp("charts")
    made = of_sets(plain_chart(folder, "someones"))
    with fresh(NAMESPACE, "glidepath"):
        helm("install", "glidepath", OWN_PARTS, *OF, "--set", PARTS)
        install_plain(made, NAMESPACE, SERVICE, GIVEN)
        yield made


@pytest.fixture(scope="module")
def adopted(admin: client.ApiClient, chart: Path) -> Path:
    """Its chart, once it is one of a Helm release per version."""
    policy = parse_policy(any_policy(NAMESPACE, SERVICE, chart, GIVEN), "p.yaml", Path("/checkout"))
    adoption(policy, admin, 0.0, print, cluster()["HELM"]).forth("v1", Image())
    return chart


@pytest.fixture(scope="module")
def world(adopted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    glidepath_kubeconfig(NAMESPACE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        yield Driven(tmp_path_factory.mktemp("record"), any_policy(NAMESPACE, SERVICE, adopted, GIVEN))


def named(kinds: str) -> set[str]:
    """What is there of these kinds."""
    return {one.partition("/")[2] for one in kubectl("get", kinds, *OF, "-o", "name").split()}


@pytest.mark.usefixtures("chart")
def test_one_with_volumes_is_refused_and_nothing_is_touched(admin: client.ApiClient, tmp_path: Path) -> None:
    before = kubectl("get", "statefulset,service,secret", *OF, "-o", "name")
    with_volumes = of_sets(plain_chart(tmp_path, "someones"), VOLUMES)
    policy = parse_policy(any_policy(NAMESPACE, SERVICE, with_volumes, GIVEN), "p.yaml", Path("/checkout"))
    with pytest.raises(
        PreflightError, match=rf"{SERVICE}-v1 of the chart has volumeClaimTemplates \(data\).*nothing was"
    ):
        adoption(policy, admin, 0.0, print, cluster()["HELM"]).forth("v1", Image())
    assert kubectl("get", "statefulset,service,secret", *OF, "-o", "name") == before


@pytest.mark.usefixtures("adopted")
def test_it_is_adopted_with_its_service() -> None:
    assert named("statefulset") == {f"{SERVICE}-v1"}
    slices = json.loads(
        kubectl("get", "endpointslices", *OF, "-l", f"kubernetes.io/service-name={SERVICE}", "-o", "json")
    )
    pods = {one["targetRef"]["name"] for part in slices["items"] for one in part.get("endpoints") or ()}
    assert f"{SERVICE}-v1-0" in pods


def test_a_version_takes_the_place_of_another(world: Driven) -> None:
    run = world.begun("v2")
    assert named("statefulset") == {f"{SERVICE}-v1", f"{SERVICE}-v2"}
    assert objects_drift(run) is None
    with pytest.raises(RigError, match="a release holds this object"):
        kubectl("delete", f"statefulset/{SERVICE}-v2", *OF)
    world.promoted(run)
    assert named("statefulset") == {f"{SERVICE}-v2"}
    made = json.loads(kubectl("get", f"statefulset/{SERVICE}-v2", *OF, "-o", "json"))["metadata"]
    assert made["annotations"]["glidepath.dev/state"] == "open"


def test_one_that_is_taken_back_leaves_nothing(world: Driven) -> None:
    world.taken_back(world.begun("v1"))
    assert named("statefulset") == {f"{SERVICE}-v2"}


def test_a_stable_that_was_scaled_by_hand_is_followed(world: Driven) -> None:
    kubectl("scale", f"statefulset/{SERVICE}-v2", *OF, "--replicas=2")
    world.ports().workloads.wait_ready("v2", 180, least=2)
    world.promoted(world.begun("v1"))
    assert json.loads(kubectl("get", f"statefulset/{SERVICE}-v1", *OF, "-o", "json"))["spec"]["replicas"] == 2


@pytest.mark.usefixtures("world")
def test_it_goes_back_to_plain_helm(admin: client.ApiClient, chart: Path) -> None:
    policy = parse_policy(any_policy(NAMESPACE, SERVICE, chart, GIVEN), "p.yaml", Path("/checkout"))
    adoption(policy, admin, 0.0, print, cluster()["HELM"]).back()
    assert (named("statefulset"), named("virtualservice,destinationrule")) == ({SERVICE}, set())
