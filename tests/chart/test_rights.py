"""What the chart's two accounts may do, asked of the real API server: what they need, and nothing that would hurt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.environment import kubectl
from tests.support.chart import OWN_PARTS, installed

pytestmark = pytest.mark.cluster
NAMESPACE, SERVICE = "rights-test", "rights"
SHARED = "shared-test"
FENCE = f"glidepath-{NAMESPACE}-{SERVICE}"
MAY = {
    "glidepath": [
        "patch virtualservices.networking.istio.io", "patch destinationrules.networking.istio.io",
        "create deployments.apps", "delete deployments.apps", "create leases.coordination.k8s.io",
        "patch leases.coordination.k8s.io", "list secrets", "create secrets", "list pods",
        "get pods/log", "list events", "list services", "watch services", "watch secrets", "watch deployments.apps",
        "watch virtualservices.networking.istio.io", "watch destinationrules.networking.istio.io", "watch leases.coordination.k8s.io", "patch roles.rbac.authorization.k8s.io/glidepath", f"patch clusterroles.rbac.authorization.k8s.io/{FENCE}",
        "create horizontalpodautoscalers.autoscaling",
    ],
    "glidepath-watchdog": [
        "patch leases.coordination.k8s.io", "list leases.coordination.k8s.io", "patch virtualservices.networking.istio.io",
        "get virtualservices.networking.istio.io", "create events",
    ],
}  # fmt: skip
MAY_NOT = {
    "glidepath": [
        "delete virtualservices.networking.istio.io", "delete leases.coordination.k8s.io", "create pods", "create pods/exec",
        "create roles.rbac.authorization.k8s.io", "escalate roles.rbac.authorization.k8s.io",
        "bind roles.rbac.authorization.k8s.io", "patch roles.rbac.authorization.k8s.io/another", "impersonate users",
        "create serviceaccounts/token", "get nodes", "list namespaces", "patch namespaces", "list configmaps",
        "delete validatingadmissionpolicies.admissionregistration.k8s.io",
        "patch validatingadmissionpolicies.admissionregistration.k8s.io/another",
        "patch services/another", "delete networkpolicies.networking.k8s.io",
    ],
    "glidepath-watchdog": [
        "get secrets", "list secrets", "create leases.coordination.k8s.io", "delete leases.coordination.k8s.io",
        "delete virtualservices.networking.istio.io", "create deployments.apps", "delete deployments.apps", "list pods",
        "create pods", "patch roles.rbac.authorization.k8s.io", "get nodes",
    ],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def accounts() -> Iterator[None]:
    """The chart with its accounts; no pods of the service."""
    given = f"service.name={SERVICE},replicas.stable=0,replicas.canary=0,istio.hosts={{rights.example.com}}"
    with installed(NAMESPACE, given):
        yield


# What a chart of any service has, beside what each account of Glidepath's may.
ANY_CHART = [
    f"{verb} {what}"
    for verb in ("create", "patch", "delete")
    for what in (
        "services", "configmaps", "serviceaccounts", "deployments.apps", "statefulsets.apps", "horizontalpodautoscalers.autoscaling",
        "poddisruptionbudgets.policy", "jobs.batch", "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """A namespace in which Glidepath's own parts serve two services."""
    with installed(SHARED, "services[0].name=prices,services[1].name=carts", OWN_PARTS):
        yield SHARED


def allowed(account: str, what: str, namespace: str = NAMESPACE, home: str = NAMESPACE) -> bool:
    """The API server's own word; `home` is the account's namespace."""
    identity = f"--as=system:serviceaccount:{home}:{account}"
    return kubectl("auth", "can-i", *what.split(), identity, "-n", namespace, check=False).strip() == "yes"


@pytest.mark.parametrize("account", MAY)
def test_what_an_account_needs_it_may(account: str) -> None:
    assert [what for what in MAY[account] if not allowed(account, what)] == []


@pytest.mark.parametrize("account", MAY_NOT)
def test_what_would_hurt_it_may_not(account: str) -> None:
    assert [what for what in MAY_NOT[account] if allowed(account, what)] == []


@pytest.mark.parametrize("account", MAY)
def test_in_another_namespace_it_may_nothing(account: str) -> None:
    own = [what for what in MAY[account] if "clusterroles" not in what]
    assert [what for what in own if allowed(account, what, "default")] == []


@pytest.mark.parametrize("account", MAY)
def test_shared_accounts_may_the_same_but_for_their_own_roles_and_fences(shared: str, account: str) -> None:
    own = "patch roles.rbac.authorization.k8s.io/glidepath"
    fence = f"patch clusterroles.rbac.authorization.k8s.io/glidepath-{shared}-prices"
    needed = [what for what in MAY[account] if "clusterroles" not in what and what != own]
    needed += [f"patch services/{name}" for name in ("prices", "carts") if account == "glidepath"]
    assert [what for what in needed if not allowed(account, what, shared, shared)] == []
    assert [what for what in (*MAY_NOT[account], own, fence) if allowed(account, what, shared, shared)] == []


def test_an_account_for_releases_per_version_may_write_what_a_chart_has_and_no_more() -> None:
    namespace = "per-version-test"
    with installed(namespace, "services[0].name=prices,services[0].perVersion=true", OWN_PARTS):
        assert [what for what in ANY_CHART if not allowed("glidepath", what, namespace, namespace)] == []
        # kubectl reads `serviceaccounts/token` as an account of that name.
        theirs = ("configmaps", "services/another", "networkpolicies", "serviceaccounts/token")
        hurts = [what for what in MAY_NOT["glidepath"] if not any(one in what for one in theirs)]
        assert [what for what in hurts if allowed("glidepath", what, namespace, namespace)] == []
        assert not allowed("glidepath", "create serviceaccounts --subresource=token", namespace, namespace)
        assert not allowed("glidepath-watchdog", "delete services", namespace, namespace)
        assert allowed("glidepath-watchdog", "patch statefulsets.apps", namespace, namespace)
        assert not allowed("glidepath-watchdog", "delete statefulsets.apps", namespace, namespace)
