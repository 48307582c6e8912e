"""Evidence of any name: what a policy says is counted, for whom, and what else is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, baseline, source_of
from glidepath.evidence.interval import Collected
from glidepath.policy import Policy
from glidepath.policy.load import parse_policy
from tests.unit.evidence.exposed import Exposed, matchers

POLICY = """\
service: shop
namespace: prod
helm: {release: shop}
steps: [{weight: 50}]
metrics: [{kind: errors}, {kind: latency}]
"""
COUNTS = """\
requests: http_requests_total
where: {namespace: "{namespace}"}
errors: {code: "=~5.."}
good: {code: "=~[1-4].."}
ignore: {path: [/healthz, /metrics]}
latency: {histogram: http_request_duration_milliseconds, unit: milliseconds, among: {code: "=~[1-4].."}}
"""
VERSIONS = ["v1", "v2"]


def policy(version: str, more: str = "") -> Policy:
    counts = {**yaml.safe_load(COUNTS), "version": yaml.safe_load(version), **(yaml.safe_load(more) or {})}
    values = {**yaml.safe_load(POLICY), "evidence": {"source": "own", "counts": counts}}
    return parse_policy(yaml.safe_dump(values), "p.yaml", Path("/checkout"))


def exposition(good: int, bad: int, **labels: str) -> str:
    """What a pod says of itself: `good` requests of 20 ms, `bad` errors, and its probes."""
    own = "".join(f',{name}="{value}"' for name, value in labels.items())
    lines = [
        f'http_requests_total{{path="/",code="200"{own}}} {good}',
        f'http_requests_total{{path="/",code="503"{own}}} {bad}',
    ]
    lines += [f'http_requests_total{{path="/healthz",code="200"{own}}} {1000 + good}']
    for path, code, count in (("/", "200", good), ("/", "503", bad), ("/healthz", "200", 1000 + good)):
        for le, share in (("10", 0), ("50", 1), ("+Inf", 1)):
            lines.append(
                f'http_request_duration_milliseconds_bucket{{path="{path}",code="{code}",le="{le}"{own}}} {count * share}'
            )
    return "\n".join(["# TYPE http_requests_total untyped", *lines]) + "\n"


def pods(scraped: Exposed, at: float, many: dict[str, tuple[int, int]], as_labels: dict[str, dict[str, str]]) -> None:
    for pod, (good, bad) in many.items():
        target = {"namespace": "prod", "instance": pod, **as_labels.get(pod, {"pod": pod})}
        scraped.scrape(at, exposition(good, bad), **target)


def counted(policy: Policy, scraped: Exposed, versions: list[str] = VERSIONS) -> dict[str, Any]:
    """What a collector says of two scrapes, at 100 s and 105 s."""
    collector = Collector(scraped, source_of(policy, versions), versions[0], versions, scrape_s=5.0)
    collector.collect(101)
    found = collector.collect(106)
    assert isinstance(found, Collected), found
    assert found.edges == (0.01, 0.05)
    return {version: (one.requests, one.errors, one.latency) for version, one in found.versions.items()}


V1, V2, OTHER = "shop-v1-5d4f9c7b6d-x2k9q", "shop-v2-7f6d5c4b3a-p8w2z", "cart-v1-5d4f9c7b6d-x2k9q"
FIRST = {V1: (100, 0), V2: (10, 1), OTHER: (500, 50)}
SECOND = {V1: (300, 2), V2: (60, 6), OTHER: (900, 90)}
RIGHT = {"v1": (202, 2, (0, 200, 0)), "v2": (55, 5, (0, 50, 0))}


@pytest.mark.parametrize(
    ("version", "more", "as_labels"),
    [
        ("{pod_name: true}", "", {}),
        ("{pod_name: true}", "pod: kubernetes_pod_name", {p: {"kubernetes_pod_name": p} for p in FIRST}),
        # the collector's own pod stands in `pod`
        ("{pod_name: true}", "pod: k8s_pod", {p: {"k8s_pod": p, "pod": "collector-0"} for p in FIRST}),
        ("{label: release}", "", {V1: {"pod": V1, "release": "v1"}, V2: {"pod": V2, "release": "v2"}, OTHER: {"pod": OTHER, "release": "v1"}}),
        (
            '{label: svc, value: "{service}-{version}"}',
            'where: {namespace: "{namespace}", pod: "=~.*"}',
            {V1: {"pod": V1, "svc": "shop-v1"}, V2: {"pod": V2, "svc": "shop-v2"}, OTHER: {"pod": OTHER, "svc": "cart-v1"}},
        ),
        (
            '{label: cluster_name, value: "=~outbound[|][0-9]+[|]{version}[|]{service}[.]{namespace}[.].*"}',
            'where: {namespace: "{namespace}", pod: "=~.*"}',
            {
                V1: {"pod": "gateway-0", "cluster_name": "outbound|80|v1|shop.prod.svc.cluster.local"},
                V2: {"pod": "gateway-0", "cluster_name": "outbound|80|v2|shop.prod.svc.cluster.local"},
                OTHER: {"pod": "gateway-0", "cluster_name": "outbound|80|v1|cart.prod.svc.cluster.local"},
            },
        ),
    ],
)  # fmt: skip
def test_each_version_is_counted_wherever_it_is_named(
    version: str, more: str, as_labels: dict[str, dict[str, str]]
) -> None:
    scraped = Exposed()
    pods(scraped, 100, FIRST, as_labels)
    pods(scraped, 105, SECOND, as_labels)
    assert counted(policy(version, more), scraped) == RIGHT


def labels_of_pods(scraped: Exposed, at: float, **versions: str) -> None:
    for pod, version in versions.items():
        app, name = pod.split("_")[0], pod.replace("_", "-")
        scraped.scrape(
            at,
            f'kube_pod_labels{{namespace="prod",pod="{name}",label_app="{app}",label_app_kubernetes_io_version="{version}"}} 1\n',
        )


BY_LABEL = "{pod_label: app.kubernetes.io/version}"


def test_a_pods_label_tells_its_version_and_those_very_pods_are_asked_for() -> None:
    scraped = Exposed()
    many = {"shop-a": FIRST[V1], "shop-b": FIRST[V2], "cart-a": FIRST[OTHER]}
    later = {"shop-a": SECOND[V1], "shop-b": SECOND[V2], "cart-a": SECOND[OTHER]}
    labels_of_pods(scraped, 80, shop_a="v1", shop_b="v2", cart_a="v1", shop_c="v0")
    pods(scraped, 100, many, {})
    pods(scraped, 105, later, {})
    assert counted(policy(BY_LABEL), scraped) == RIGHT
    asked = [one for one in scraped.asked if one.startswith("http_requests_total")]
    assert {{label: text for label, _, text in matchers(one)[1]}["pod"] for one in asked} == {r"shop\-a|shop\-b"}


def test_a_pod_that_has_been_of_two_versions_is_no_evidence() -> None:
    scraped = Exposed()
    labels_of_pods(scraped, 60, shop_a="v1")
    labels_of_pods(scraped, 80, shop_a="v2")
    pods(scraped, 100, {"shop-a": (1, 0)}, {})
    source = source_of(policy(BY_LABEL), VERSIONS)
    with pytest.raises(EvidenceError, match="'v1' and 'v2' for one pod, shop-a"):
        Collector(scraped, source, "v1", VERSIONS, 5.0).collect(101)


def test_without_labels_of_pods_there_is_no_evidence_and_the_past_says_so() -> None:
    scraped = Exposed()
    pods(scraped, 100, {"shop-a": (1, 0)}, {})
    with pytest.raises(EvidenceError, match="kube_pod_labels"):
        baseline(scraped, source_of(policy(BY_LABEL), ["v1"]), "v1", 600, 101)


def test_two_versions_that_a_label_can_t_tell_apart_are_refused() -> None:
    scraped, versions = Exposed(), ["v1", "v12"]
    pod = "shop-v12-5d4f9c7b6d-x2k9q"
    scraped.scrape(100, exposition(1, 0), namespace="prod", pod=pod, cluster="to-v12")
    source = source_of(policy('{label: cluster, value: "=~to-{version}.*"}'), versions)
    with pytest.raises(EvidenceError, match="can't be told apart"):
        Collector(scraped, source, versions[0], versions, 5.0).collect(101)


@pytest.mark.parametrize("pod", ["shop-1-4-1-0", "shop-1-4-1-5d4f9c7b6d-x2k9q"])
def test_a_version_whose_name_begins_with_the_others_keeps_its_pods(pod: str) -> None:
    scraped, versions = Exposed(), ["1-4", "1-4-1"]
    pods(scraped, 100, {"shop-1-4-0": (10, 0), pod: (1, 0)}, {})
    pods(scraped, 105, {"shop-1-4-0": (30, 0), pod: (6, 1)}, {})
    found = counted(policy("{pod_name: true}"), scraped, versions)
    assert {version: (requests, errors) for version, (requests, errors, _) in found.items()} == {
        "1-4": (20, 0), "1-4-1": (6, 1),
    }  # fmt: skip


def test_the_stables_past_is_read_by_pod_under_any_name() -> None:
    scraped = Exposed()
    for at in range(100, 161, 5):
        pods(scraped, at, {V1: (10 * at, at)}, {V1: {"kubernetes_pod_name": V1}})
    past = baseline(scraped, source_of(policy("{pod_name: true}", "pod: kubernetes_pod_name"), ["v1"]), "v1", 61, 160)
    assert (past.seen.versions["v1"].requests, past.seen.versions["v1"].errors) == (660, 60)
    assert {pod for block in past.blocks for pod in block} == {V1}


def test_a_share_of_another_source_is_read_by_its_own_labels() -> None:
    made = policy("{pod_name: true}")
    made = made.model_copy(update={"metrics": [*made.metrics, *parse_policy(
        POLICY.replace("{kind: latency}", "{kind: errors, source: mesh}"), "p", Path("/")).metrics[1:]]})  # fmt: skip
    source = source_of(made, VERSIONS)
    scraped = Exposed()
    mesh = (
        'istio_requests_total{reporter="source",destination_service_name="shop",destination_service_namespace="prod",'
    )
    for at, many in ((100, FIRST), (105, SECOND)):
        pods(scraped, at, many, {})
        text = "".join(
            f'{mesh}destination_version="{v}",response_code="503"}} {at * (n + 1)}\n' for n, v in enumerate(VERSIONS)
        )
        scraped.scrape(at, text, pod="gateway-0")
    collector = Collector(scraped, source, "v1", VERSIONS, 5.0)
    collector.collect(101)
    found = collector.collect(106)
    assert isinstance(found, Collected)
    assert {version: one.shares["errors_mesh"] for version, one in found.versions.items()} == {
        "v1": (5, 5),
        "v2": (10, 10),
    }
    assert {version: one.requests for version, one in found.versions.items()} == {"v1": 202, "v2": 55}
