"""A GitOps controller that owns the values: `plan` sees its marks, and refuses what it would undo."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.errors import PreflightError
from tests.support.apiserver import DEPLOYMENTS, MESH, SECRETS, SERVICE
from tests.support.git import GITOPS, Git
from tests.support.stage import Stage

MARKS: list[tuple[str, dict[str, Any], str]] = [
    ("argocd-controller", {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/prices"}}, "Argo CD"),
    ("argocd-controller", {}, "Argo CD: field manager argocd-controller"),
    ("kubectl", {"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}, "Flux (HelmRelease): label helm.toolkit"),
    ("helm-controller", {}, "Flux (HelmRelease): field manager helm-controller"),
    ("kustomize-controller", {}, "Flux (Kustomization): field manager kustomize-controller"),
    ("fleetagent", {}, "Rancher Fleet"),
    ("kapp", {"labels": {"kapp.k14s.io/app": "1"}}, "kapp: label kapp.k14s.io/app=1"),
]  # fmt: skip
PLACES = {
    "VirtualService prices": (f"{MESH}/virtualservices", SERVICE),
    "DestinationRule prices": (f"{MESH}/destinationrules", SERVICE),
    "Deployment prices-v1": (DEPLOYMENTS, "prices-v1"),
    "Helm's release shop": (SECRETS, "shop.v1"),
}


def marked(stage: Stage, where: str, manager: str, marks: dict[str, Any]) -> None:
    """A controller's write on an object of the service."""
    base, name = PLACES[where]
    body = {"metadata": {"name": name, "labels": {"synced": "yes"}, **marks}}
    stage.server._carry_out("PATCH", f"{base}/{name}", {"fieldManager": manager}, "merge", body)


class TestAControllersMarks:
    @pytest.mark.parametrize(("manager", "marks", "words"), MARKS, ids=[words for _, _, words in MARKS])
    def test_a_release_that_would_be_undone_is_refused(
        self, stage: Stage, manager: str, marks: dict[str, Any], words: str
    ) -> None:
        marked(stage, "Deployment prices-v1", manager, marks)
        before = stage.written()
        with pytest.raises(PreflightError) as caught:
            stage.run()
        for part in (words, "on Deployment prices-v1", "nothing was touched", "gitops: {handover: none}"):
            assert part in str(caught.value)
        assert stage.written() == before
        assert stage.record.recent() == []

    @pytest.mark.parametrize("where", PLACES)
    def test_wherever_they_are(self, stage: Stage, where: str) -> None:
        marked(stage, where, "argocd-controller", {})
        with pytest.raises(PreflightError, match=f"argocd-controller on {where}"):
            stage.run()

    def test_a_status_that_a_controller_writes_and_a_chart_s_own_label_are_none(self, stage: Stage) -> None:
        marked(stage, "Deployment prices-v1", "helm", {"labels": {"app.kubernetes.io/instance": "shop"}})
        stored = stage.server.objects[(DEPLOYMENTS, "prices-v1")]
        status = {"manager": "argocd-controller", "operation": "Update", "subresource": "status", "fieldsV1": {}}
        stored["metadata"]["managedFields"].append(status)
        assert stage.run()

    def test_at_one_s_own_risk_it_goes_on_with_a_warning(self, stage: Stage) -> None:
        marked(stage, "Deployment prices-v1", "argocd-controller", {})
        assert stage.run(policy="gitops: {handover: none}\n")
        assert any("WARNING: nobody is told of a promotion" in line for line in stage.said)

    def test_with_a_handover_it_goes_on_and_says_by_what(self, stage: Stage) -> None:
        marked(stage, "Deployment prices-v1", "argocd-controller", {})
        stage.handover = git = Git()
        assert git.check()
        assert stage.run(policy=GITOPS)
        assert any("a promotion is handed over by a file in memory; Argo CD" in line for line in stage.said)

    def test_nothing_to_release_needs_no_handover(self, stage: Stage) -> None:
        marked(stage, "Deployment prices-v1", "argocd-controller", {})
        assert stage.run(version="v1").release.outcome == "nothing_to_do"
