"""From raw samples to counts: births, resets, gaps, silence, and both arms speaking of the same time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Waiting
from glidepath.evidence.interval import Collected
from tests.unit.evidence.scraped import SOURCE, Scraped

SCRAPE = 5.0


def collector(scraped: Scraped) -> Collector:
    """A collector on it."""
    return Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE)


def started(scraped: Scraped) -> Collector:
    """A collector that has its baseline at 100 s: one stable pod with 1,000 requests, a canary pod with none."""
    scraped.pod(100, "v1", "a", 1000, 5)
    scraped.pod(100, "v2", "c", 0)
    watch = collector(scraped)
    assert isinstance(watch.collect(101), Waiting)
    return watch


def collected(watch: Collector, now: float) -> Collected:
    """The interval, which must be there."""
    got = watch.collect(now)
    assert isinstance(got, Collected), got
    return got


def test_counters_are_differenced_from_the_first_sample_on() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1450, 7, (1400, 1440, 1450))
    scraped.pod(105, "v2", "c", 48, 2, (40, 44, 48))
    got = collected(watch, 106)
    assert (got.start, got.end, got.edges) == (100, 105, (0.05, 0.1))
    stable, canary = got.versions["v1"], got.versions["v2"]
    assert (stable.requests, stable.errors, stable.latency) == (452, 2, (400, 40, 10))
    assert (canary.requests, canary.errors, canary.latency) == (50, 2, (40, 4, 4))
    assert canary.by_pod == {"c": (50, 2)}


def test_nothing_is_told_twice() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1100, 5)
    scraped.pod(105, "v2", "c", 10)
    assert collected(watch, 106).versions["v1"].requests == 100
    again = watch.collect(110)
    assert isinstance(again, Waiting)
    assert "no newer sample yet of a, c" in again.why


def test_nothing_is_asked_for_before_every_pod_may_have_a_newer_sample() -> None:
    scraped = Scraped()
    watch = started(scraped)
    assert watch.due == 100 + 0.99 * 5
    scraped.asked.clear()
    assert watch.collect(104.9) == Waiting("no newer sample can be there yet", 0.0)
    assert scraped.asked == []
    watch.collect(watch.due)
    assert scraped.asked != []
    watch.collect(50)  # a clock that went back: that nothing can be there is not known
    assert len(scraped.asked) > 1


def test_pods_that_are_scraped_more_often_than_planned_are_looked_at_as_often() -> None:
    scraped = Scraped()
    watch = started(scraped)
    for at, good in ((102, 1010), (104, 1020)):
        scraped.pod(at, "v1", "a", good, 5)
        scraped.pod(at, "v2", "c", good - 1000)
    assert collected(watch, 105).end == 104
    assert watch.due == 104 + 0.99 * 2


def test_a_fall_is_a_reset_and_the_new_value_counts() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 30, 1)
    scraped.pod(105, "v2", "c", 10)
    stable = collected(watch, 106).versions["v1"]
    assert (stable.requests, stable.errors) == (31, 1)


def test_a_pod_born_while_watching_starts_from_zero() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1010, 5)
    scraped.pod(105, "v2", "c", 10)
    scraped.pod(105, "v2", "d", 7)
    canary = collected(watch, 106).versions["v2"]
    assert canary.by_pod == {"c": (10, 0), "d": (7, 0)}


def test_an_error_series_that_appears_late_counts_from_zero() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1010, 5)
    scraped.pod(105, "v2", "c", 10, 3)
    assert collected(watch, 106).versions["v2"].errors == 3


def test_an_interval_waits_for_the_slower_arm() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1010, 5)
    waiting = watch.collect(106)
    assert isinstance(waiting, Waiting)
    assert "no newer sample yet of c" in waiting.why
    scraped.pod(107, "v2", "c", 10)
    assert collected(watch, 108).versions["v2"].requests == 10


def test_a_pod_that_is_gone_is_not_waited_for() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(110, "v1", "a", 1100, 5)
    scraped.pod(115, "v1", "a", 1200, 5)
    got = collected(watch, 116)
    assert got.versions["v1"].requests == 200
    assert (got.versions["v2"].requests, got.versions["v2"].by_pod) == (0, {})


def test_a_silent_control_is_no_evidence() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(120, "v2", "c", 10)
    waiting = watch.collect(121)
    assert isinstance(waiting, Waiting)
    assert "no pod of the control v1 reports" in waiting.why
    assert waiting.silent_s == 21


def test_after_a_long_gap_the_first_sample_is_a_new_baseline() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(400, "v1", "a", 9000, 5)
    scraped.pod(400, "v2", "c", 900, 300)
    assert watch.collect(401) == Waiting("telemetry is coming back", 0.0)
    scraped.pod(405, "v1", "a", 9050, 5)
    scraped.pod(405, "v2", "c", 905, 300)
    assert watch.collect(406) == Waiting("the first sample is the baseline", 0.0)
    scraped.pod(410, "v1", "a", 9150, 5)
    scraped.pod(410, "v2", "c", 915, 300)
    got = collected(watch, 411)
    assert (got.versions["v1"].requests, got.versions["v2"].requests, got.versions["v2"].errors) == (100, 10, 0)


def test_after_a_gap_a_late_pods_whole_life_is_not_counted() -> None:
    """Pods come back one after another: what is first seen later than the baseline was there before the gap."""
    scraped = Scraped()
    scraped.pod(100, "v1", "b", 500_000, 20_000)
    watch = started(scraped)
    for at in (400, 405):
        scraped.pod(at, "v1", "a", 9000, 5)
        scraped.pod(at, "v2", "c", 900)
        watch.collect(at + 1.5)
    scraped.pod(410, "v1", "a", 9100, 5)
    scraped.pod(410, "v2", "c", 910, 3)  # its process restarted in the gap, or never had an error: born while we watch
    scraped.pod(410, "v1", "b", 600_000, 24_000)
    scraped.pod(410, "v2", "d", 7)  # and this one is new
    got = collected(watch, 411)
    assert got.versions["v1"].by_pod == {"a": (100, 0), "b": (0, 0)}
    assert got.versions["v2"].by_pod == {"c": (13, 3), "d": (7, 0)}
    for pod, version, good, bad in (("a", "v1", 9200, 5), ("b", "v1", 600_090, 24_010), ("c", "v2", 920, 3)):
        scraped.pod(415, version, pod, good, bad)
    scraped.pod(415, "v2", "d", 9)
    assert collected(watch, 416).versions["v1"].by_pod == {"a": (100, 0), "b": (100, 10)}


def test_a_baseline_that_is_no_number_begins_with_the_next() -> None:
    scraped = Scraped()
    scraped.pod(100, "v1", "a", float("nan"))  # type: ignore[arg-type]
    scraped.pod(100, "v2", "c", 0)
    watch = collector(scraped)
    watch.collect(101)
    for at, good in ((105, 1_000_000), (110, 1_000_040)):
        scraped.pod(at, "v1", "a", good)
        scraped.pod(at, "v2", "c", at)
        got = collected(watch, at + 1)
        assert got.versions["v1"].requests == good - 1_000_000


def test_a_sample_that_comes_late_still_counts() -> None:
    """A slow scrape is stamped with its start, and is there only after a sooner pod's newer sample was used."""
    scraped = Scraped()
    scraped.pod(95.4, "v2", "d", 10)
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1100, 5)
    scraped.pod(105, "v2", "c", 20)
    scraped.pod(100.4, "v2", "d", 30)
    assert collected(watch, 106).versions["v2"].by_pod == {"c": (20, 0), "d": (20, 0)}
    scraped.pod(110, "v1", "a", 1200, 5)
    scraped.pod(110, "v2", "c", 40)
    scraped.pod(104.9, "v2", "d", 50)  # older than the 105 s that were used
    got = collected(watch, 111)
    assert got.versions["v2"].by_pod == {"c": (20, 0), "d": (20, 0)}
    assert got.versions["v2"].requests == sum(got.versions["v2"].latency) == 40


def test_a_nan_sample_is_no_sample() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(103, "v1", "a", float("nan"))  # type: ignore[arg-type]
    scraped.pod(105, "v1", "a", 1020, 5)
    scraped.pod(105, "v2", "c", 10)
    assert collected(watch, 106).versions["v1"].requests == 20


def test_a_bucket_without_an_edge_is_refused() -> None:
    scraped = Scraped()
    scraped.pod(100, "v1", "a", 10)
    scraped.add(100, 1, name="latency", version="v1", pod="a", status="success", le="fast")
    with pytest.raises(EvidenceError, match="no readable `le`"):
        collector(scraped).collect(101)


def test_a_canary_that_has_no_bucket_edge_of_the_stable_is_no_evidence() -> None:
    """With other edges only, nothing of it can be compared; with some of them it can (`test_edges`)."""
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1010, 5)
    scraped.pod(105, "v2", "c", 10)
    kept = {key: one for key, one in scraped.series.items() if ("pod", "a") in key or ("le", "0.05") not in key}
    scraped.series = {tuple((k, "0.2" if ("pod", "c") in key and v == "0.1" else v) for k, v in key): one
                      for key, one in kept.items()}  # fmt: skip
    with pytest.raises(
        EvidenceError,
        match=r"pod c \(version v2\) has 1 edges, pod a \(version v1\) has 2, and an edge at 0.05 s .*`evidence.baseline`",
    ):
        watch.collect(106)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=12))
def test_what_is_collected_adds_up_to_what_was_served(steps: list[tuple[int, bool]]) -> None:
    """Whatever the pod serves between scrapes and whenever it restarts after a scrape, no request is lost or doubled."""
    scraped = Scraped()
    watch = started(scraped)
    value, total, served, at = 1000, 0, 0, 100.0
    for count, restarted in steps:
        at += SCRAPE
        if restarted and count < value:  # a restart that has served more than before looks like none
            value = 0
        value, served = value + count, served + count
        scraped.pod(at, "v1", "a", value, 0)
        scraped.pod(at, "v2", "c", 0)
        total += collected(watch, at + 1).versions["v1"].requests
    assert total == served


def test_a_counter_that_is_there_twice_is_no_evidence() -> None:
    scraped = Scraped()
    watch = started(scraped)
    scraped.pod(105, "v1", "a", 1000, 5)
    scraped.add(105, 1000, name="requests", version="v1", pod="a", status="success", job="again")
    with pytest.raises(EvidenceError, match=r"of pod a is there twice, with no such label and with job='again'"):
        watch.collect(106)
    # Two containers of one pod are two instances, not one counted twice.
    other = Scraped()
    for instance in ("10.0.0.1:9090", "10.0.0.1:9091"):
        other.add(105, 10, name="requests", version="v1", pod="a", status="success", job="x", instance=instance)
    Collector(other, SOURCE, "v1", ["v1", "v2"], SCRAPE).collect(106)
