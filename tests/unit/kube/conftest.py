"""An API server with one Lease; calls that fail are tried again without a pause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glidepath.kube import Objects, calls
from tests.support.apiserver import LEASES, NAMESPACE, ApiServer
from tests.unit.kube.leases import lease


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(calls, "PAUSE_S", 0.0)
    with ApiServer() as one:
        one.put(LEASES, lease("a", team="red"))
        yield one


@pytest.fixture
def objects(server: ApiServer) -> Objects:
    return Objects(server.api(), NAMESPACE)
