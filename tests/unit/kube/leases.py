"""The Leases that calls are tried on."""

from __future__ import annotations

from tests.support.fields import Object

KIND = "coordination.k8s.io/v1/leases"


def lease(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "labels": labels},
        "spec": {"leaseDurationSeconds": 60},
    }
