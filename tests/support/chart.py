"""A chart, installed by hand into a namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rig.environment import REPO, helm, kubectl

CHART = str(REPO / "include" / "helm-chart")
OWN_PARTS = str(REPO / "include" / "charts" / "glidepath")


@contextmanager
def installed(namespace: str, given: str, chart: str = CHART) -> Iterator[None]:
    """Helm's release `app` with these values (as for `--set`); what an earlier run left is gone first, and it after."""
    kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait", timeout_s=120)
    kubectl("create", "namespace", namespace)
    helm("install", "app", chart, "-n", namespace, "--set", given)
    yield
    helm("uninstall", "app", "-n", namespace)
    kubectl("delete", "namespace", namespace, "--wait=false")
