"""What the cluster says of a version's pods, and of what leads to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glidepath.kube import FIELD_MANAGER

# Who writes replicas as an autoscaler: the HorizontalPodAutoscaler's controller, by the names that it has in one cluster or
# another, and KEDA, which scales from and to 0. And Glidepath: it writes only those that such a one goes on from.
AUTOSCALERS = tuple(
    f"{name} "
    for name in (
        "kube-controller-manager", "horizontal-pod-autoscaler", "vpa-recommender", "keda", "keda-operator", FIELD_MANAGER,
    )
)  # fmt: skip


@dataclass(frozen=True)
class Readiness:
    """Replicas of a version: wanted, at the wanted revision and ready; `why` names what is missing."""

    version: str
    wanted: int
    ready: int
    why: str

    @property
    def complete(self) -> bool:
        """True when every wanted replica is ready."""
        return self.wanted > 0 and self.ready >= self.wanted


@dataclass(frozen=True)
class Shape:
    """What a version asks for, and who wrote it last.

    Attributes:
        wanted: Replicas.
        pods: A digest of its pods' specification and labels; annotations are left out, so a restart is no change.
        replicas_by, pods_by: The clients that wrote these, and when.
        labels: Those of its pods.
    """

    wanted: int
    pods: str
    replicas_by: str
    pods_by: str
    labels: Mapping[str, str]

    @property
    def autoscaled(self) -> bool:
        """Whether an autoscaler wrote its replicas last."""
        return self.replicas_by.startswith(AUTOSCALERS)


@dataclass(frozen=True)
class Selector:
    """The labels of the pods that a Service has: others get no request of its callers, whatever a mesh says."""

    labels: Mapping[str, str]
    by: str

    def has(self, pods: Mapping[str, str]) -> bool:
        """Whether it has pods with these labels."""
        return self.labels.items() <= pods.items()


@dataclass(frozen=True)
class Revision:
    """A revision of a Helm release, as Helm's own secret says, and when it was written."""

    number: int
    status: str
    by: str
