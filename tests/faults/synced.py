"""What a sync of a GitOps controller leaves, which a case after it must not find."""

from __future__ import annotations

from rig import stage
from rig.environment import NAMESPACE, kubectl
from tests.support.world import SERVICE

SYNCED_BY = "argocd-controller"
FENCE = f"glidepath-{NAMESPACE}-{SERVICE}"
ADMISSION = ("validatingadmissionpolicy", "validatingadmissionpolicybinding")


def forget_sync() -> None:
    """Remove all that the chart has made if a sync of a case before has left its marks.

    Every later plan would be refused for them, and a `helm upgrade` by hand would conflict with the sync's fields: on the
    fence too, which is in no namespace.
    """
    fence = [f"{kind}/{FENCE}{part}" for kind in ADMISSION for part in ("", "-claim")]
    kinds = "virtualservices,destinationrules,deployments"
    found = kubectl("get", kinds, "-n", NAMESPACE, "-o", "json", "--show-managed-fields", check=False)
    found += kubectl("get", *fence, "-o", "json", "--show-managed-fields", "--ignore-not-found", check=False)
    if f'"{SYNCED_BY}"' in found:
        stage.remove()
        kubectl("delete", *fence, "--ignore-not-found")
