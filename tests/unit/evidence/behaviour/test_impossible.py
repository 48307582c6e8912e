"""What cannot have happened in an interval is not counted, or makes it no evidence."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Waiting, baseline
from glidepath.gate import interval_of
from glidepath.judge import ArmCounts, Judge, MetricSettings, Settings, StepSettings, Verdict, plan_judgement
from tests.unit.evidence.behaviour.test_resume import follower
from tests.unit.evidence.scraped import SOURCE, Scraped
from tests.unit.evidence.test_collector import SCRAPE, collected, collector, started
from tests.unit.evidence.test_shares import ShareSeries


def under_traffic(scraped: Scraped, scrapes: int = 4) -> Collector:
    """One pod a version, 50 requests a second each, watched for some scrapes; the last at 100 s."""
    for number in range(scrapes):
        at = 100 - SCRAPE * (scrapes - 1 - number)
        scrape(scraped, at)
    watch = collector(scraped)
    watch.collect(100 - SCRAPE * (scrapes - 1) + 1)
    for number in range(1, scrapes):
        watch.collect(101 - SCRAPE * (scrapes - 1 - number))
    return watch


def scrape(scraped: Scraped, at: float, stable_errors: int = 0, canary_errors: int = 0) -> None:
    """A scrape at 50 requests a second in each version; the error counters' totals are given."""
    scraped.pod(at, "v1", "a", round(100_000 + 50 * at), stable_errors)
    scraped.pod(at, "v2", "c", round(50 * at), canary_errors)


@pytest.mark.parametrize("old", [5_000, 400, 60])
def test_a_counter_that_vanished_before_the_first_read_is_back_at_its_old_total(old: int) -> None:
    """Exporters with a metric expiration drop what is quiet; what the counter had is looked for in the past."""
    scraped = Scraped()
    scraped.add(-220, old, name="requests", version="v1", pod="a", status="error")
    watch = under_traffic(scraped)
    scrape(scraped, 105, stable_errors=old + 1)
    assert collected(watch, 106).versions["v1"].errors == 1


def test_of_an_old_total_that_nobody_remembers_nothing_is_counted_but_what_comes_then() -> None:
    scraped = Scraped()
    watch = under_traffic(scraped)
    scrape(scraped, 105, stable_errors=5_000)
    assert collected(watch, 106).versions["v1"].errors == 0
    scrape(scraped, 110, stable_errors=5_003)
    assert collected(watch, 111).versions["v1"].errors == 3


def test_an_outage_that_begins_fits_what_the_pod_does() -> None:
    scraped = Scraped()
    watch = under_traffic(scraped)
    scraped.pod(105, "v1", "a", 100_000 + 50 * 105)
    scraped.pod(105, "v2", "c", 50 * 100, 250)  # nothing but errors from one scrape to the next
    canary = collected(watch, 106).versions["v2"]
    assert (canary.requests, canary.errors) == (250, 250)


@settings(deadline=None)
@given(st.integers(1_000, 10**9), st.integers(0, 250))
def test_no_total_of_long_ago_is_ever_an_interval(total: int, more: int) -> None:
    scraped = Scraped()
    watch = under_traffic(scraped)
    scrape(scraped, 105, stable_errors=total)
    scrape(scraped, 110, stable_errors=total + more)
    assert collected(watch, 111).versions["v1"].errors == more


def judged(scraped: Scraped, canary_share: float, spurious: bool) -> Verdict:
    """A release at 50 %: stable without an error, the canary with some, until there is a verdict or 100 scrapes."""
    past = ArmCounts(100_000, 0, (100_000, 0, 0), 1)
    settings = Settings((MetricSettings("errors", "errors", "critical", 0.1, 0.0005, 0.002),),
                        (StepSettings(50, 10, 100),), SCRAPE, 7200)  # fmt: skip
    judge = Judge(plan_judgement(settings, past, 2000, (0.05, 0.1), 100))
    watch, errors, rest = under_traffic(scraped), 0, random.Random(1)
    for number in range(1, 100):
        at = 100 + SCRAPE * number
        errors += sum(rest.random() < canary_share for _ in range(250))
        scrape(scraped, at, 5_000 + number if spurious and number > 1 else 0, errors)
        look = judge.look(interval_of(collected(watch, at + 1), "v1", "v2", 50))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            return look.verdict
    return Verdict.UNDECIDED


@pytest.mark.parametrize("spurious", [False, True])
def test_a_canary_with_errors_is_not_promoted_by_what_an_exporter_brings_back(spurious: bool) -> None:
    assert judged(Scraped(), 0.03, spurious) is Verdict.FAIL


def test_a_sample_of_another_replica_that_is_lower_by_a_request_or_two_is_no_growth() -> None:
    scraped = Scraped()
    watch = started(scraped)
    total = 0
    for at, good, bad in (
        (105, 101_450, 7),
        (110, 101_448, 6),
        (115, 101_460, 7),
        (120, 101_459, 5),
        (125, 101_470, 7),
    ):
        scraped.pod(at, "v1", "a", good, bad)
        scraped.pod(at, "v2", "c", 0)
        before = total
        total += collected(watch, at + 1).versions["v1"].requests
        assert at not in (110, 120) or total == before
        watch = follower(watch, scraped)
    assert total == 101_470 - 1000 + 2


def workers(scraped: Scraped, scrapes: int, alike: bool) -> int:
    """A stable of three workers behind one /metrics, 30 requests a second in all; how many requests there were."""
    chance, totals, began = random.Random(7), [3000, 3100, 2950] if alike else [3000, 9000, 30_000], 0
    for number in range(scrapes):
        for _ in range(150 if number else 0):
            totals[chance.randrange(3)] += 1
            began += 1
        scraped.pod(100 + SCRAPE * number, "v1", "a", totals[chance.randrange(3)], 3)
        scraped.pod(100 + SCRAPE * number, "v2", "c", 10 * number)
    return began


@pytest.mark.parametrize("alike", [True, False])
def test_several_workers_behind_one_address_are_seen_by_plan(alike: bool) -> None:
    scraped = Scraped()
    workers(scraped, 60, alike)
    with pytest.raises(
        EvidenceError, match=r"of pod a fall again and again .* several processes answer in turn .*gunicorn"
    ):
        baseline(scraped, SOURCE, "v1", 1800, 400)


@pytest.mark.parametrize("alike", [True, False])
def test_several_workers_behind_one_address_are_no_evidence_in_a_release(alike: bool) -> None:
    scraped, counted, refused = Scraped(), 0, 0
    there = workers(scraped, 60, alike)
    watch = Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE, 30.0)
    for number in range(60):
        try:
            got = watch.collect(101 + SCRAPE * number)
        except EvidenceError as error:
            refused += "of pod a f" in str(error)
        else:
            counted += 0 if isinstance(got, Waiting) else got.versions["v1"].requests
    assert refused > 40
    assert counted < there


@pytest.mark.parametrize(("one", "other"), [(6_000, 5_000), (2_000, 1_000), (1_000, 0)])
def test_two_processes_under_one_identity_count_nothing_without_traffic(one: int, other: int) -> None:
    scraped, counted = Scraped(), []
    watch = Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE, 20.0)
    for number in range(20):
        at = 100 + SCRAPE * number
        scraped.pod(at, "v1", "a", other if number % 2 else one)
        scraped.pod(at, "v2", "c", 10 * number)
        with suppress(EvidenceError):
            got = watch.collect(at + 1)
            counted += [] if isinstance(got, Waiting) else [got.versions["v1"].requests]
    assert sum(counted) <= 1_000
    assert len(counted) <= 3
    with pytest.raises(EvidenceError, match=r"again and again.*send under one identity.*`service.instance.id`"):
        baseline(scraped, SOURCE, "v1", 1800, 200)


def test_an_interval_with_many_times_the_planned_traffic_is_no_evidence() -> None:
    scraped = Scraped()
    for at, good in ((100, 1000), (105, 1400), (110, 9400), (115, 9800)):
        scraped.pod(at, "v1", "a", good)
        scraped.pod(at, "v2", "c", 10 * at)
        if at == 100:
            watch = Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE, 90.0)
            watch.collect(101)
        elif at == 110:
            with pytest.raises(
                EvidenceError, match=r"8050 requests .* in 5 s, .* planned at 90.0 .* more than 10 times"
            ):
                watch.collect(111)
        else:
            assert collected(watch, at + 1).versions["v1"].requests == 400  # what was refused is not counted later


def test_a_new_pod_counts_from_zero_as_far_as_the_service_has_traffic_or_its_process_is_new() -> None:
    for began, counted in ((None, 0), (20.0, 0), (102.0, 9_000)):
        scraped = Scraped()
        watch = under_traffic(scraped)
        scrape(scraped, 105)
        scraped.pod(105, "v2", "d", 9_000)
        scraped.pod(105, "v2", "e", 1_200)  # three times what both versions do fits
        if began is not None:
            scraped.add(105, began, name="process_start_time_seconds", pod="d")
        got = collected(watch, 106).versions["v2"]
        assert got.by_pod == {"c": (250, 0), "d": (counted, 0), "e": (1_200, 0)}


def test_a_fall_that_is_neither_a_restart_nor_a_dip_is_no_evidence_and_counted_from_there() -> None:
    scraped = Scraped()
    watch = under_traffic(scraped)
    for at, good in ((105, 60_000), (110, 60_250)):
        scraped.pod(at, "v1", "a", good)
        scraped.pod(at, "v2", "c", 50 * at)
        if at == 105:
            with pytest.raises(EvidenceError, match=r"of pod a fell, and neither to near zero"):
                watch.collect(106)
    assert collected(watch, 111).versions["v1"].requests == 250


CODES = ShareSeries("failed", "rq{x}", (), "rq{x}", (("envoy_response_code", "5.."),), "version")


def test_a_proxy_that_begins_one_clusters_counters_anew_lost_no_error() -> None:
    """A changed DestinationRule resets the codes of a subset, not its totals; the errors are back above what they had."""
    scraped = Scraped()
    for at, ok, failed, total in ((100, 9_000, 5, 9_005), (105, 240, 6, 9_251)):
        scrape(scraped, at)
        for version, fewer in (("v1", 0), ("v2", 1)):
            cluster = {"name": "rq", "version": version, "pod": "gateway"}
            good, bad = (ok, failed) if version == "v2" else (50 * round(at), 5 + round(at) // 105)
            scraped.add(at, good, **cluster, envoy_response_code="200")
            scraped.add(at, bad, **cluster, envoy_response_code="503")
            scraped.add(at, total - fewer, **{**cluster, "name": "rq_total"})
        if at == 100:
            watch = Collector(scraped, replace(SOURCE, shares=(CODES,)), "v1", ["v1", "v2"], SCRAPE)
            watch.collect(101)
    got = collected(watch, 106)
    assert got.versions["v2"].shares["failed"] == (6, 246)
    assert got.versions["v1"].shares["failed"] == (1, 251)
