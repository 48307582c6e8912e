"""What tests of charts on a cluster share."""

from __future__ import annotations

import pytest
from kubernetes import client

from tests.support.chart import administrator


@pytest.fixture(scope="module")
def admin() -> client.ApiClient:
    """Whoever installs the service."""
    return administrator()
