"""The stable version's past, as a whole and per pod."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glidepath.errors import EvidenceError
from glidepath.evidence import baseline, mesh_source, pods_before
from tests.unit.evidence.scraped import SOURCE, Scraped
from tests.unit.evidence.test_shares import SPAM, answers


def test_the_baseline_is_what_the_window_saw() -> None:
    scraped = Scraped()
    for at, good in ((100, 1000), (110, 1100), (120, 1200)):
        scraped.pod(at, "v1", "a", good, 5, (good - 100, good - 50, good))
        scraped.pod(at, "v1", "b", good, 0)
    past = baseline(scraped, SOURCE, "v1", 600, 121)
    seen = past.seen.versions["v1"]
    assert (past.seen.start, past.seen.end, len(seen.by_pod)) == (100, 120, 2)
    assert (seen.requests, seen.errors) == (400, 0)


def test_blocks_are_the_same_requests_pod_by_pod() -> None:
    scraped = Scraped()
    for number, at in enumerate((100, 105, 110, 115)):
        scraped.pod(at, "v1", "a", 1000 + 100 * number, 5 + number)
        if number:  # born while the window ran
            scraped.pod(at, "v1", "b", 40 * number, 0)
        answers(scraped, at, "v1", "c", 10 * number, 30 * number)
    past = baseline(scraped, replace(SOURCE, shares=(SPAM,)), "v1", 600, 116)
    assert past.block_s == 5
    assert [sorted(block) for block in past.blocks] == [["a", "c"], ["a", "b", "c"], ["a", "b", "c"]]
    assert [(block["a"].requests, block["a"].errors) for block in past.blocks] == [(101, 1)] * 3
    assert [block["c"].shares for block in past.blocks] == [{"spam": (10, 40)}] * 3
    assert sum(one.requests for block in past.blocks for one in block.values()) == 3 * 101 + 3 * 40 + 2 * 40
    assert [sum(block["a"].latency) for block in past.blocks] == [100] * 3


def test_a_reset_within_the_window_makes_no_block_negative() -> None:
    scraped = Scraped()
    for at, good in ((100, 1000), (105, 1100), (110, 30), (115, 90)):
        scraped.pod(at, "v1", "a", good, 0)
    past = baseline(scraped, SOURCE, "v1", 600, 116)
    assert [block["a"].requests for block in past.blocks] == [100, 30, 60]
    assert past.seen.versions["v1"].requests == 190


def test_what_the_pods_did_before_the_window() -> None:
    scraped = Scraped()
    for number in range(30):
        for pod in ("a", "b"):
            scraped.pod(1000 + 75 * number, "v1", pod, 1000 + 100 * number, 5 + number)
    blocks, step = pods_before(scraped, replace(SOURCE, edges=(0.05, 0.1)), "v1", 9000, 2000)
    assert step == 75
    assert len(blocks) == 13  # what lies between 1000 and 2000, and nothing later
    assert {pod: (counts.requests, counts.errors) for pod, counts in blocks[0].items()} == {
        "a": (101, 1),
        "b": (101, 1),
    }
    assert pods_before(scraped, SOURCE, "v1", 9000, 900)[0] == ()
    with pytest.raises(EvidenceError, match="had 2 edges then, expected the 3"):
        pods_before(scraped, replace(SOURCE, edges=(0.05, 0.1, 0.2)), "v1", 9000, 2000)


def test_buckets_that_were_changed_within_the_window_are_no_baseline() -> None:
    scraped = Scraped()
    for at in (100, 105):
        scraped.pod(at, "v1", "old", at)
    for at in (110, 115):
        scraped.pod(at, "v1", "new", at)
        scraped.add(at, at, name="latency", version="v1", pod="new", status="success", le="0.07")
    with pytest.raises(EvidenceError, match=r"pod old \(version v1\) has 2 edges, pod new \(version v1\) has 3"):
        baseline(scraped, SOURCE, "v1", 600, 116)
    assert len(baseline(scraped, SOURCE, "v1", 9, 116).seen.edges) == 3


def test_errors_after_a_restart_within_the_window() -> None:
    """The error counter is back at its last value: no fall of its own, but its process restarted."""
    scraped = Scraped()
    for at, good, bad in ((100, 1000, 5), (105, 1100, 5), (110, 30, 0), (115, 90, 6)):
        scraped.pod(at, "v1", "a", good, bad)
    past = baseline(scraped, SOURCE, "v1", 600, 116)
    assert past.seen.versions["v1"].errors == 6
    assert [block["a"].errors for block in past.blocks] == [0, 0, 6]


def test_callers_pods_are_not_the_versions() -> None:
    scraped = Scraped()
    for at in (100, 105):
        scraped.add(at, at, name="istio_requests_total", destination_version="v1", pod="gateway", response_code="200")
        scraped.add(
            at, at, name="istio_request_duration_milliseconds_bucket", destination_version="v1", pod="gateway", le="+Inf"
        )  # fmt: skip
    past = baseline(scraped, mesh_source("n", "s", ["v1"]), "v1", 600, 106)
    assert past.seen.versions["v1"].requests == 5
    assert past.blocks == ()


def test_without_the_stable_version_there_is_no_baseline() -> None:
    with pytest.raises(EvidenceError, match="no series"):
        baseline(Scraped(), SOURCE, "v1", 600, 121)
