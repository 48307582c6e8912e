"""From plain Helm to a Helm release per version and back, on the real API server: cut off anywhere, the same command goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client

from glidepath.deploy.adoption import Adoption
from glidepath.errors import PreflightError
from glidepath.policy import Image
from glidepath.policy.load import parse_policy
from glidepath.wiring.deploy import adoption
from rig.environment import cluster, helm, kubectl
from tests.support.chart import OWN_PARTS, any_policy, fresh, install_plain, plain_chart

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
NAMESPACE, SERVICE = "adoption-test", "plain"
GIVEN = (
    "image: {repository: localhost/model-service}, service: {port: 8081}, "
    "livenessProbe: {httpGet: {path: /healthz, port: http}}, "
    "readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}"
)
PARTS = f"services[0].name={SERVICE},services[0].perVersion=true,watchdog.enabled=false"
OF = ("-n", NAMESPACE)


class CutOffError(Exception):
    """The command ended here."""


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A plain chart, installed by plain Helm as v1 into a namespace of its own."""
    folder = tmp_path_factory.mktemp("charts")
    made = plain_chart(folder, "someones")
    with fresh(NAMESPACE, "glidepath"):
        install_plain(made, NAMESPACE, SERVICE, GIVEN)
        yield made


def port(api: client.ApiClient, chart: Path, given: str = GIVEN, say: Callable[[str], None] = print) -> Adoption:
    """The adoption by a policy with these values."""
    policy = parse_policy(any_policy(NAMESPACE, SERVICE, chart, given), "p.yaml", Path("/checkout"))
    return adoption(policy, api, 0.0, say, cluster()["HELM"])


def named(kinds: str) -> set[str]:
    """What is there of these kinds."""
    return {one.partition("/")[2] for one in kubectl("get", kinds, *OF, "-o", "name").split()}


def releases() -> dict[str, str]:
    """Helm's releases, and their charts."""
    return {one["name"]: one["chart"] for one in json.loads(helm("list", *OF, "-o", "json"))}


def cut_off_at_each_word(make: Callable[[Callable[[str], None]], Callable[[], None]]) -> int:
    """Run a command again and again, and end it at one word later each time, until it gets through; how often it was cut."""
    for left in range(40):
        words = iter(range(left))

        def say(_: str, words: Iterator[int] = words) -> None:
            if next(words, None) is None:
                raise CutOffError

        try:
            make(say)()
        except CutOffError:
            continue
        return left
    raise AssertionError("it never got through")


def test_without_the_fence_and_with_other_values_it_is_refused(admin: client.ApiClient, chart: Path) -> None:
    before = (releases(), named("deployment,service,serviceaccount,secret"))
    with pytest.raises(PreflightError) as caught:
        port(admin, chart, GIVEN.replace("port: 8081", "port: 8082", 1)).forth("v1", Image())
    for words in ("its fence is not there", "service.port: 8081 runs, the policy says 8082", "nothing was touched"):
        assert words in str(caught.value)
    helm("upgrade", "--install", "glidepath", OWN_PARTS, *OF, "--set", PARTS)
    with pytest.raises(PreflightError, match=r"model-service:v1 runs, .*model-service:v2 would be adopted"):
        port(admin, chart).forth("v2", Image())
    with pytest.raises(PreflightError, match="has no version that Glidepath made"):
        port(admin, chart).back()
    after = releases()
    assert after.pop("glidepath").startswith("glidepath-")
    assert (after, named("deployment,service,serviceaccount")) == (before[0], {SERVICE, "default", "glidepath"})


def test_it_is_adopted_and_goes_back_wherever_it_is_cut_off(admin: client.ApiClient, chart: Path) -> None:
    address = kubectl("get", "service", SERVICE, *OF, "-o", "jsonpath={.metadata.uid} {.spec.clusterIP}")
    cut = cut_off_at_each_word(lambda say: lambda: port(admin, chart, say=say).forth("v1", Image()))
    assert cut >= 4
    assert releases().keys() == {"glidepath", SERVICE, f"{SERVICE}-v1"}
    assert releases()[SERVICE].startswith("routes-")
    assert named("deployment") == {f"{SERVICE}-v1"}
    assert named("virtualservice,destinationrule") == {SERVICE}
    port(admin, chart).forth("v1", Image())
    with pytest.raises(PreflightError, match="adopted already, with the stable version v1"):
        port(admin, chart).forth("v2", Image())
    cut = cut_off_at_each_word(lambda say: port(admin, chart, say=say).back)
    assert cut >= 2
    assert releases().keys() == {"glidepath", SERVICE}
    assert releases()[SERVICE].startswith("someones-")
    assert (named("deployment"), named("virtualservice,destinationrule")) == ({SERVICE}, set())
    assert kubectl("get", "service", SERVICE, *OF, "-o", "jsonpath={.metadata.uid} {.spec.clusterIP}") == address


def test_a_service_that_is_not_there_yet_is_installed(admin: client.ApiClient, chart: Path) -> None:
    helm("uninstall", SERVICE, *OF)
    port(admin, chart).forth("v1", Image())
    assert releases().keys() == {"glidepath", SERVICE, f"{SERVICE}-v1"}
    ports = json.loads(kubectl("get", "service", SERVICE, *OF, "-o", "json"))["spec"]["ports"]
    assert [(one["name"], one["port"], one["targetPort"]) for one in ports] == [("http", 8081, "http")]
