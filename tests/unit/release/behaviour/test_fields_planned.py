"""Fields of somebody else, as the plan tells them."""

from __future__ import annotations

import pytest

from glidepath.errors import PreflightError
from tests.support.apiserver import DEPLOYMENTS, SERVICE
from tests.support.stage import Stage


class TestPlan:
    """What `plan` says and refuses before anything is touched."""

    def test_an_upgrade_that_would_change_the_stables_pods_is_refused_by_name(self, stage: Stage) -> None:
        stage.helm.upgrade({**stage.helm.values, "image": "shop:1"})
        base = (DEPLOYMENTS, f"{SERVICE}-v1")
        stage.server.objects[base]["spec"]["template"]["spec"]["image"] = "shop:of-a-failed-upgrade"
        with pytest.raises(
            PreflightError, match=r'spec\.template\.spec\.image: "shop:of-a-failed-upgrade" runs, "shop:1"'
        ):
            stage.run()
        assert stage.record.find("dag/run") is None

    def test_the_last_deployed_revision_is_said_where_a_newer_one_failed(self, stage: Stage) -> None:
        stage.helm.by_hand("failed")
        stage.run()
        assert any(
            "helm's newest revision, 2, is failed: the release goes by revision 1" in line for line in stage.said
        )

    def test_hooks_and_what_is_random_are_named(self, stage: Stage) -> None:
        stage.helm.hooks = [
            {"kind": "Job", "name": "migrate", "events": ["pre-upgrade"]},
            {"kind": "Pod", "name": "predict", "events": ["test"]},
        ]
        stage.helm.random = ("Secret shop.data.password",)
        stage.run()
        assert any("hook Job migrate (pre-upgrade) runs at each upgrade" in line for line in stage.said)
        assert not any("predict" in line for line in stage.said)
        assert any("Secret shop.data.password is rendered anew each time" in line for line in stage.said)
