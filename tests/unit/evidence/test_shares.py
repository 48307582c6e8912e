"""Shares of requests beside errors: counted by the same rules, whoever counts them."""

from __future__ import annotations

from dataclasses import replace

from glidepath.evidence import Collector, Waiting
from glidepath.evidence.interval import Collected
from glidepath.evidence.source import ShareSeries
from tests.unit.evidence.scraped import EDGES, SOURCE, Scraped

AMONG = (("status", "success"),)
SPAM = ShareSeries("spam", SOURCE.requests, AMONG, SOURCE.requests, (*AMONG, ("result", "spam")), "version")
MISSES = ShareSeries("miss", "lookups_total{x}", (), "misses_total{x}", (), "version")


def answers(scraped: Scraped, at: float, version: str, pod: str, spam: int, ham: int, failed: int = 0) -> None:
    """One scrape of a classifier's pod."""
    for result, status, count in (("spam", "success", spam), ("ham", "success", ham), ("none", "error", failed)):
        scraped.add(at, count, name="requests", version=version, pod=pod, status=status, result=result)
    for edge in EDGES:
        scraped.add(at, spam + ham, name="latency", version=version, pod=pod, status="success", le=edge)


def watching(scraped: Scraped, *shares: ShareSeries) -> Collector:
    source = replace(SOURCE, shares=shares)
    watch = Collector(scraped, source, "v1", ["v1", "v2"], 5.0)
    assert isinstance(watch.collect(101), Waiting)
    return watch


def test_a_share_of_the_requests_counts_the_same_series_again() -> None:
    scraped = Scraped()
    answers(scraped, 100, "v1", "a", 1000, 3000, 7)
    answers(scraped, 100, "v2", "c", 0, 0)
    watch = watching(scraped, SPAM)
    answers(scraped, 105, "v1", "a", 1100, 3200, 9)
    answers(scraped, 105, "v2", "c", 0, 60, 1)
    got = watch.collect(106)
    assert isinstance(got, Collected)
    stable, canary = got.versions["v1"], got.versions["v2"]
    assert (stable.requests, stable.errors, stable.shares) == (302, 2, {"spam": (100, 300)})
    assert (canary.requests, canary.errors, canary.shares) == (61, 1, {"spam": (0, 60)})
    assert scraped.asked.count(SOURCE.requests) == 2  # once a look: the share asks for nothing of its own


def test_other_counters_reset_and_are_never_more_events_than_there_are() -> None:
    scraped = Scraped()
    for at, lookups, misses in ((100, 500, 50), (105, 20, 30)):
        answers(scraped, at, "v1", "a", 10 * at, 0)
        scraped.add(at, lookups, name="lookups_total", version="v1", pod="a")
        scraped.add(at, misses, name="misses_total", version="v1", pod="a")
        if at == 100:
            watch = watching(scraped, MISSES)
    got = watch.collect(106)
    assert isinstance(got, Collected)
    assert got.versions["v1"].shares == {"miss": (20, 20)}
    assert got.versions["v2"].shares == {"miss": (0, 0)}


def test_after_a_gap_a_late_exporters_whole_life_is_not_counted() -> None:
    scraped = Scraped()

    def exported(at: float, lookups: int) -> None:
        for name, count in (("lookups_total", lookups), ("misses_total", lookups // 10)):
            scraped.add(at, count, name=name, version="v1", pod="a", instance="10.0.0.1:9102")

    answers(scraped, 100, "v1", "a", 1000, 0)
    exported(100, 500_000)
    watch = watching(scraped, MISSES)
    for at in (400, 405, 410):
        answers(scraped, at, "v1", "a", 10 * at, 0)
        if at == 410:
            exported(at, 600_000)
        got = watch.collect(at + 1.5)
    assert isinstance(got, Collected)
    assert got.versions["v1"].shares == {"miss": (0, 0)}
    answers(scraped, 415, "v1", "a", 4150, 0)
    exported(415, 600_100)
    got = watch.collect(416)
    assert isinstance(got, Collected)
    assert got.versions["v1"].shares == {"miss": (10, 100)}
