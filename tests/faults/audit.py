"""The API server's own account of who wrote what: its audit log, in the order of resourceVersions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rig.environment import NAMESPACE
from sandbox.common import state
from sandbox.components import AUDIT_LOG
from tests.support.world import weights_in

GROUP = "glidepath.dev"


@dataclass(frozen=True)
class Write:
    """One write that the API server was asked for.

    Attributes:
        at: When it was answered, epoch seconds.
        code: The HTTP status of the answer.
        version: The object's resourceVersion afterwards, one sequence for all objects; 0 when refused.
        object: As it is afterwards; empty when refused.
    """

    at: float
    user: str
    agent: str
    verb: str
    kind: str
    name: str
    code: int
    version: int
    object: dict[str, Any]

    @property
    def token(self) -> int:
        """The fencing token the object carries afterwards."""
        return int(self.marks.get(f"{GROUP}/token") or 0)

    @property
    def marks(self) -> dict[str, str]:
        """The object's annotations."""
        return (self.object.get("metadata") or {}).get("annotations") or {}

    @property
    def weights(self) -> dict[str, int]:
        """Of a VirtualService: the weights by version."""
        return weights_in(self.object.get("spec") or {})


def writes(since: float) -> list[Write]:
    """The writes to what a release holds since an epoch second, those that were accepted in their true order."""
    found = [one for one in _read() if one.at >= since]
    return sorted(found, key=lambda one: (one.version or 0, one.at))


def _read() -> Iterator[Write]:
    file = state() / AUDIT_LOG
    assert file.exists(), "the API server writes no audit log: `make down`, then `make sandbox`"
    with file.open() as lines:
        for line in lines:
            if f'"namespace":"{NAMESPACE}"' not in line:
                continue
            try:
                told = json.loads(line)
            except ValueError:
                continue  # the API server was killed while it wrote this line
            yield _write(told)


def _write(told: dict[str, Any]) -> Write:
    answer = told.get("responseObject") or {}
    accepted = int(told["responseStatus"]["code"]) < 300
    version = (answer.get("metadata") or {}).get("resourceVersion", "0") if accepted else "0"
    reference = told["objectRef"]
    resource = reference["resource"] + (f"/{reference['subresource']}" if "subresource" in reference else "")
    return Write(
        at=datetime.fromisoformat(told["stageTimestamp"]).timestamp(),
        user=told["user"]["username"],
        agent=told.get("userAgent", ""),
        verb=told["verb"],
        kind=resource,
        name=reference.get("name", ""),
        code=int(told["responseStatus"]["code"]),
        version=int(version or 0),
        object=answer if accepted else {},
    )
