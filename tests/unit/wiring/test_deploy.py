"""Which chart a policy's service is made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes import client

from glidepath.deploy.charts import LocalChart
from glidepath.policy import for_run
from glidepath.policy.load import parse_policy
from glidepath.wiring.deploy import chart_of

DIGEST = "sha256:" + "0123456789abcdef" * 4


def called(helm: str, version: str | None = None) -> str:
    """Its chart, of the policy or of a release of a version."""
    text = (
        f"service: shop\nnamespace: prod\nhelm: {{release: shop, per_version: true{helm}}}\nsteps: [{{weight: 50}}]\n"
    )
    policy = parse_policy(text, "p.yaml", Path("/checkout"))
    return str(chart_of(for_run(policy, {"version": version}) if version else policy, client.ApiClient(), "helm"))


@pytest.mark.parametrize(
    ("helm", "version", "chart"),
    [
        (", chart: charts/shop", None, "/checkout/charts/shop"),
        (", chart: charts/shop, version: 1.4.2", "v7", "/checkout/charts/shop-1.4.2.tgz"),
        (", chart: charts/shop, version: released", "1.5.0-rc.1+b", "/checkout/charts/shop-1.5.0-rc.1+b.tgz"),
        (", chart: 'oci://r.example/shop', version: 1.4.2", "v7", "oci://r.example/shop --version 1.4.2"),
        (", chart: 'oci://r.example/shop', version: released", "1.5.0+b", "oci://r.example/shop --version 1.5.0+b"),
        (f", chart: 'oci://r.example/shop', digest: '{DIGEST}'", "v7", f"oci://r.example/shop@{DIGEST}"),
    ],
)
def test_a_chart_is_where_the_policy_says(helm: str, version: str | None, chart: str) -> None:
    assert called(helm, version) == chart


def test_a_packed_chart_is_pinned_in_a_folder_too() -> None:
    text = f"service: shop\nnamespace: prod\nhelm: {{release: shop, chart: a.tgz, digest: '{DIGEST}'}}\nsteps: [{{weight: 50}}]\n"
    assert chart_of(parse_policy(text, "p.yaml", Path("/checkout")), client.ApiClient()) == LocalChart(
        Path("/checkout/a.tgz"), DIGEST
    )
