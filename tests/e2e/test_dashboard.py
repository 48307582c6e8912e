"""Every query of the dashboard, run on the cluster's Prometheus, gives data."""

from __future__ import annotations

import math
import time

import pytest
import requests

from rig.dashboards import dashboard_queries
from rig.environment import NAMESPACE, REPO, cluster
from tests.support.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
QUERIES = dashboard_queries(
    REPO / "include" / "dashboards" / "ab-testing.json",
    {"namespace": NAMESPACE, "service": "model-service", "version": ".*"},
)


@pytest.mark.parametrize(("panel", "query"), QUERIES, ids=[f"{n}-{panel}" for n, (panel, _) in enumerate(QUERIES)])
def test_query_gives_numbers(on_v1: World, panel: str, query: str) -> None:
    assert on_v1.airflow.pid() is not None
    url, deadline = cluster()["PROMETHEUS_URL"], time.monotonic() + 90
    while True:
        answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=10).json()
        assert answer["status"] == "success", (panel, answer)
        rows = answer["data"]["result"]
        # A version without traffic has no quantile (NaN); v1 has traffic.
        values = [float(row["value"][1]) for row in rows]
        if any(not math.isnan(value) for value in values):
            return
        assert time.monotonic() < deadline, f"{panel}: no data for {query}: {rows}"
        time.sleep(2)
