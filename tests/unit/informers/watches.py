"""What is watched in the tests of informers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from glidepath.informers import WatchedObjects
from tests.support.apiserver import NAMESPACE
from tests.support.fields import Object
from tests.support.watching import WatchingApiServer

KIND = "coordination.k8s.io/v1/leases"
WITHIN_S = 30.0


def lease(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"leaseDurationSeconds": 60},
    }


def until(what: Callable[[], Any], timeout_s: float = 10.0) -> None:
    """Wait for what another thread does."""
    over = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < over, "it never came"
        time.sleep(0.005)


def quiet(server: WatchingApiServer, objects: WatchedObjects, kind: str = KIND) -> bool:
    """Whether a read asks the server nothing."""
    before = len(server.log)
    objects.get(kind, "a")
    return len(server.log) == before
