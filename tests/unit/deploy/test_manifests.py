"""What is found among the objects that a chart makes."""

from __future__ import annotations

from glidepath.deploy.manifests import Object, workloads_named
from glidepath.kube import WORKLOAD_KINDS


def made(kind: str, name: str) -> Object:
    """An object."""
    return {"kind": kind, "metadata": {"name": name}}


def test_a_versions_workload_is_of_any_kind_that_may_be_released_and_nothing_else_is() -> None:
    others = [made("Service", "shop-v1"), made("DaemonSet", "shop-v1"), made("Deployment", "shop-v2")]
    ours = [made(kind, "shop-v1") for kind in WORKLOAD_KINDS]
    assert workloads_named([*others, *ours], "shop-v1") == ours
    assert workloads_named(others, "shop-v1") == []
