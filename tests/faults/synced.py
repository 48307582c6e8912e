"""What a sync of a GitOps controller leaves, which a case after it must not find."""

from __future__ import annotations

from demo.environment import NAMESPACE, kubectl

SYNCED_BY = "argocd-controller"


def synced() -> bool:
    """Whether a sync of a case before has left its marks: every later plan would be refused for them."""
    kinds = "virtualservices,destinationrules,deployments"
    return f'"{SYNCED_BY}"' in kubectl(
        "get", kinds, "-n", NAMESPACE, "-o", "json", "--show-managed-fields", check=False
    )
