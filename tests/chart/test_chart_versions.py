"""A chart's version is what is released, out of a real registry, on the real API server: image and templates go with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from glidepath.errors import HelmError, PreflightError
from glidepath.policy import for_run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.wiring.deploy import deploys
from rig.environment import cluster, helm, kubectl
from tests.support.chart import OWN_PARTS, administrator, any_policy, fresh, plain_chart
from tests.support.driven import Driven
from tests.support.registries import Registry, registry

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
NAMESPACE, SERVICE = "chart-versions-test", "plain"
GIVEN = (
    "image: {repository: localhost/model-service}, service: {port: 8081}, "
    "livenessProbe: {httpGet: {path: /healthz, port: http}}, readinessProbe: {httpGet: {path: /readyz, port: http}}"
)
FIRST, SECOND = "1.4.2", "1.5.0-rc.1+build"


@dataclass(frozen=True)
class Versions:
    """A service whose chart has versions, and the registry that has them."""

    world: Driven
    chart: Path
    there: Registry

    def deployed(self, version: str) -> dict[str, Any]:
        """The Deployment of a version."""
        name = f"deployment/{SERVICE}-{for_run(self.world.policy, {'version': version}).version}"
        return dict(json.loads(kubectl("get", name, "-n", NAMESPACE, "-o", "json")))


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Versions]:
    folder = tmp_path_factory.mktemp("charts")
    chart = plain_chart(folder, "someones")
    with registry(folder) as there, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELM_CACHE_HOME", str(folder / "cache"))
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        there.push(chart, FIRST, "v1")
        text = any_policy(NAMESPACE, SERVICE, Path("CHART"), GIVEN)
        said = f"chart: {there.chart('someones')}\n  version: released\n  plain_http: true"
        with fresh(NAMESPACE, "glidepath"):
            parts = f"services[0].name={SERVICE},services[0].perVersion=true,watchdog.enabled=false"
            helm("upgrade", "--install", "glidepath", OWN_PARTS, "-n", NAMESPACE, "--set", parts)
            world = Driven(folder, text.replace("chart: CHART", said))
            spec = for_run(world.policy, {"version": FIRST})
            deploys(spec, administrator(), cluster()["HELM"]).upgrade(
                {
                    "service": {"name": SERVICE}, "roles": {"stable": spec.version, "canary": ""},
                    "versions": {spec.version: {"tag": spec.tag}}, "istio": {"trafficSplit": {"stable": 100, "canary": 0}},
                }
            )  # fmt: skip
            world.ports().workloads.wait_ready(spec.version, 180)
            yield Versions(world, chart, there)


def test_a_version_that_was_never_pushed_is_refused_and_touches_nothing(versions: Versions) -> None:
    before = versions.deployed(FIRST)["metadata"]["resourceVersion"]
    with pytest.raises(PreflightError, match=r"does not give the chart .*--version 9\.9\.9.*not found"):
        versions.world.plan("9.9.9")
    assert versions.deployed(FIRST)["metadata"]["resourceVersion"] == before


def test_a_chart_that_is_pushed_anew_in_mid_release_changes_the_next_one(versions: Versions) -> None:
    versions.there.push(versions.chart, SECOND, "v2")
    run = versions.world.plan(SECOND)
    assert run.spec.helm.digest is not None
    versions.there.push(versions.chart, SECOND, "v3")
    claim(run)
    deploy(run)
    [container] = versions.deployed(SECOND)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "localhost/model-service:v2"
    versions.world.taken_back(run)


def test_a_registry_that_is_away_takes_nothing_back_and_stops_no_way_back(
    versions: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions.there.push(versions.chart, SECOND, "v2")
    kept, gone = versions.world.begun(SECOND), versions.world
    versions.there.end()
    gone.promoted(kept)
    [container] = versions.deployed(SECOND)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "localhost/model-service:v2"
    assert versions.deployed(SECOND)["metadata"]["labels"]["helm.sh/chart"] == "someones-1.5.0-rc.1_build"
    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path / "another-machine"))
    with pytest.raises(HelmError, match="could not be had in 3 tries"):
        gone.plan(FIRST)
