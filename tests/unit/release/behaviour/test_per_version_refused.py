"""What a release per version refuses before anything is touched."""

from __future__ import annotations

import pytest

from glidepath.deploy import values as chart
from glidepath.deploy.added import labelled
from glidepath.errors import HelmError, PreflightError, SetupError
from glidepath.release.preflight.state import preflight
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from tests.support.apiserver import DEPLOYMENTS
from tests.support.fields import Object
from tests.support.stage import Stage
from tests.unit.release.behaviour.test_per_version import helm, there
from tests.unit.release.behaviour.test_per_version import stage as stage  # its releases are per version


class TestRefused:
    def test_a_stable_version_that_is_no_helm_release_of_its_own(self, stage: Stage) -> None:
        own = helm(stage).of("v1")
        for secret in stage.server.all("secrets"):
            if secret["metadata"]["labels"]["name"] == own.release:
                del stage.server.objects["/api/v1/namespaces/shop/secrets", secret["metadata"]["name"]]
        with pytest.raises(
            PreflightError, match=r"no Helm release of its own that Glidepath made.*nothing was touched"
        ):
            stage.run()
        values = chart.with_canary(dict(stage.helm.values), "v1", "v2", 0, 1)
        with pytest.raises(SetupError, match="adopt"):
            stage.helm.upgrade(values, write=1)
        assert stage.versions() == {"v1"}

    def test_a_helm_release_of_somebody_else_by_the_name_of_a_version(self, stage: Stage) -> None:
        theirs = helm(stage).of("v2")
        theirs.upgrade({"fullnameOverride": "prices-v2", "replicaCount": 1}, added=labelled("prices-v2", "other", "v2"))
        for secret in stage.server.all("secrets"):
            if secret["metadata"]["labels"]["name"] == theirs.release:
                secret["metadata"]["labels"] = {"name": theirs.release, "owner": "helm"}
                stage.server.objects["/api/v1/namespaces/shop/secrets", secret["metadata"]["name"]] = secret
        with pytest.raises(PreflightError, match=r"release prices-v2 is there already.*nothing was touched"):
            stage.run()
        assert theirs.revision == 1

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (
                {"name": "another"},
                "Deployment another, expected one Deployment or StatefulSet prices-v2: helm.paths.name",
            ),
            ({"kind": "DaemonSet"}, "makes DaemonSet prices-v2, expected one Deployment or StatefulSet prices-v2"),
            ({"volume": "data"}, r"prices-v2 of the chart has volumeClaimTemplates \(data\)"),
            ({"image": "shop:latest"}, "expected one that ends in :v2: the chart does not take it from image.tag"),
            ({"app": "other"}, "selects its pods by app=other; expected these labels to be free"),
            ({"version": "1.16"}, "selects its pods by version=1.16"),
        ],
    )
    def test_a_chart_that_can_not_be_told_a_version(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: str
    ) -> None:
        own = helm(stage).of("v2")
        rendered = own._objects

        def otherwise(values: Object) -> list[Object]:
            [made] = rendered(values)
            made["metadata"]["name"] = change.get("name", made["metadata"]["name"])
            made["kind"] = change.get("kind", made["kind"])
            if "volume" in change:
                made["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": change["volume"]}}]
            made["spec"]["template"]["spec"]["containers"][0]["image"] = change.get("image", "shop:v2")
            made["spec"]["selector"]["matchLabels"] |= {
                key: text for key, text in change.items() if key in ("app", "version")
            }
            return [made]

        monkeypatch.setattr(own, "_objects", otherwise)
        before = stage.written()
        with pytest.raises(PreflightError, match=words):
            stage.run()
        assert stage.written() == before

    def test_helm_does_not_remove_what_a_later_release_holds(self, stage: Stage) -> None:
        """A process that was stopped before its uninstall: what is around the Deployment has no fence."""
        run = stage.run()
        for action in (claim, deploy):
            action(run)
        stale = chart.with_canary(dict(stage.helm.values), "v1", None, 0, run.claim.token)
        with pytest.raises(HelmError, match="Deployment prices-v2 is a release's"):
            stage.helm.upgrade(stale, write=9)
        found = stage.server.objects[DEPLOYMENTS, "prices-v2"]["metadata"]["annotations"]
        found |= {"glidepath.dev/state": "open", "glidepath.dev/token": str(run.claim.token + 1)}
        with pytest.raises(HelmError, match="its Helm release stays"):
            stage.helm.upgrade(stale, write=12)
        assert there(stage) == {"v1", "v2"}


@pytest.mark.parametrize(
    ("values", "words"),
    [({"replicaCount": 2}, "release shop is not of the routes"), ({}, "there is no Helm release shop")],
)
def test_a_service_that_is_not_adopted_is_told_how(stage: Stage, values: Object, words: str) -> None:
    spec, ports = stage.spec(), stage.ports()
    adopted = spec.model_copy(update={"helm": spec.helm.model_copy(update={"per_version": True})})
    assert preflight(adopted, ports, print).stable == "v1"
    stage.helm.values = values
    stage.helm.newest = stage.helm.revision = 1 if values else 0
    with pytest.raises(PreflightError, match=f"prices is not adopted: .*{words}.*glidepath adopt FILE --version"):
        preflight(adopted, ports, print)
