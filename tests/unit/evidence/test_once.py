"""A pod that is scraped by two ways is counted once; two processes are counted twice."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, app_source, baseline
from glidepath.evidence.interval import Collected
from glidepath.evidence.once import _plain, counted_once, each_once, of_one_way
from glidepath.evidence.series import Series
from glidepath.evidence.source import pods_of
from glidepath.naming import workload_name
from tests.unit.evidence.scraped import EDGES, SOURCE, Scraped
from tests.unit.evidence.test_collector import SCRAPE, collected

WAYS = [
    {"instance": "10.0.0.1:9090", "job": "annotations"},
    {"instance": "api", "job": "monitor", "node": "n1", "pod_template_hash": "7f46"},
]


def twice(scraped: Scraped, at: float, version: str, pod: str, served: float, later: float = 0.0) -> None:
    """A pod at 100 requests a second as both ways see it, the second some seconds later."""
    for place, way in enumerate(WAYS):
        when = at + later * place
        good = round(served + 100 * (when - at))
        of = {"version": version, "pod": pod, **way}
        scraped.add(when, good, name="requests", status="success", **of)
        scraped.add(when, good // 100, name="requests", status="error", **of)
        for edge, part in zip(EDGES, (0.9, 0.95, 1.0), strict=True):
            scraped.add(when, int(part * good), name="latency", status="success", le=edge, **of)


@pytest.mark.parametrize("later", [0.0, 1.7])
def test_a_pod_that_two_jobs_scrape_is_counted_once(later: float) -> None:
    scraped = Scraped()
    for number in range(20):
        for version, pod in (("v1", "a"), ("v2", "c")):
            twice(scraped, 100 + SCRAPE * number, version, pod, 10_000 + 500 * number, later)
    past = baseline(scraped, SOURCE, "v1", 600, 200)
    assert past.seen.versions["v1"].requests == 19 * 505
    watch = Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE)
    watch.collect(189)
    got = collected(watch, 194).versions
    assert (got["v1"].requests, got["v1"].errors, sum(got["v1"].latency)) == (505, 5, 500)
    assert got["v2"] == replace(got["v1"], by_pod={"c": (505, 5)})


@pytest.mark.parametrize("later", [0.0, 1.7])
def test_a_counter_that_is_born_or_ends_is_one_in_both_ways(later: float) -> None:
    """Its first and its last sample say little, the other counters of its pod say which it is."""
    scraped, looks = Scraped(), []
    watch = Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE)
    for number in range(12):
        at = 100 + SCRAPE * number
        for version, pod in (("v1", "a"), ("v2", "c")):
            twice(scraped, at, version, pod, 10_000 + 500 * number, later)
        for place, way in enumerate(WAYS):
            of = {"version": "v2", "pod": "c", "name": "requests", **way}
            if number >= 6:
                scraped.add(at + later * place, number - 5, status="timeout", **of)
            if number <= 6:
                scraped.add(at + later * place, 50, status="old", **of)
        looks += [watch.collect(now) for now in (at + 1, at + 4) if number >= 3]
    counted = [look.versions["v2"] for look in looks if isinstance(look, Collected)]
    assert [each.requests for each in counted] == [505] * 2 + [506] * 6


@pytest.mark.parametrize("later", [0.0, 1.7])
def test_a_pod_that_restarts_is_one_in_both_ways(later: float) -> None:
    scraped = Scraped()
    watch = Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE)
    counted = []
    for number in range(14):
        for version, pod in (("v1", "a"), ("v2", "c")):
            served = 10_000 + 500 * number if number < 8 else 500 * (number - 8) + 100
            twice(scraped, 100 + SCRAPE * number, version, pod, served, later)
        got = watch.collect(104 + SCRAPE * number) if number >= 3 else None
        counted += [got.versions["v2"].requests] if isinstance(got, Collected) else []
    assert counted == [505] * 4 + [101] + [505] * 5


def test_a_quiet_route_is_one_in_both_ways() -> None:
    """Its counters stand still, and say nothing; those of the same two scrapes say it."""
    busy, quiet = ({"pod": "a", "version": "v2", "__name__": "requests", "route": route} for route in ("/a", "/b"))
    series = [
        Series(route | {"job": job}, tuple((at, 7.0 + step * at) for at in (5.0, 10.0, 15.0)))
        for route, step in ((busy, 1.0), (quiet, 0.0)) for job in ("one", "two")
    ]  # fmt: skip
    assert of_one_way(series) == [series[0], series[2]]
    assert of_one_way(series[2:]) == series[2:]


def test_two_containers_of_a_pod_are_two_processes() -> None:
    scraped, chance, totals = Scraped(), random.Random(3), [10_000, 10_050]
    for number in range(20):
        for place, instance in enumerate(("10.0.0.1:9090", "10.0.0.1:9091")):
            totals[place] += chance.randrange(80, 120)
            of = {"version": "v1", "pod": "a", "instance": instance, "status": "success"}
            scraped.add(100 + SCRAPE * number, totals[place], name="requests", **of)
            for edge in EDGES:
                scraped.add(100 + SCRAPE * number, totals[place], name="latency", le=edge, **of)
    past = baseline(scraped, SOURCE, "v1", 600, 200)
    assert 19 * 160 < past.seen.versions["v1"].requests < 19 * 240


def test_routes_of_one_scrape_are_different_counters() -> None:
    def route(name: str, values: list[float]) -> Series:
        return Series(
            {"pod": "a", "route": name, "status": "success"}, tuple((5.0 * at, one) for at, one in enumerate(values))
        )

    busy = [route("/a", [3, 3, 4]), route("/b", [3, 4, 4])]
    assert of_one_way(busy) == busy
    idle = [route("/a", [7, 7, 7]), route("/b", [7, 7, 7])]
    assert of_one_way(idle) == idle


@pytest.mark.parametrize("target", [{}, {"job": "x", "instance": "10.0.0.1:9090"}])
def test_routes_that_count_alike_are_not_one(target: dict[str, str]) -> None:
    """Ten routes that a probe calls in turn."""
    series = [
        Series(
            {"pod": "a", "route": f"/{route}", "status": "success", **target},
            tuple((5.0 * at, 3.0 * at) for at in range(20)),
        )
        for route in range(10)
    ]
    assert of_one_way(series) == series


@pytest.mark.parametrize(
    "other",
    [
        {"instance": "b"},
        {"job": "b"},
        {"node": "n1"},
        {"endpoint": "http"},
        {"team": "t"},
        {"instance": "b", "team": "t"},
    ],
)
@pytest.mark.parametrize("target", [{}, {"job": "x", "instance": "10.0.0.1:9090"}])
def test_what_may_tell_two_scrapes_of_a_pod_apart(target: dict[str, str], other: dict[str, str]) -> None:
    series = [
        Series(
            {"pod": "a", "route": route, "status": "success", **target, **way},
            tuple((5.0 * at, rate * at) for at in range(4)),
        )
        for way in ({}, other)
        for route, rate in (("/a", 3.0), ("/b", 3.0), ("/c", 7.0))
    ]
    # Two targets of a Prometheus never have one job and one instance.
    assert len(of_one_way(series)) == (6 if target and other == {"team": "t"} else 3)


def test_of_one_scrape_nobody_can_know() -> None:
    scraped = Scraped()
    for job in ("a", "b"):
        scraped.add(105, 1000, name="requests", version="v1", pod="a", status="success", job=job)
    with pytest.raises(EvidenceError, match="is there twice"):
        Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE).collect(106)


@pytest.mark.parametrize(
    ("pod", "is_one"),
    [
        ("api-v1-7f46f6656-x2x4z", True),
        ("api-v2-7f46f6656-x2x4z", True),
        ("api-gateway-v1-7f46f6656-x2x4z", False),
        ("api-gateway-7f46f6656-x2x4z", False),
        ("api-v1-cache-7f46f6656-x2x4z", False),
        ("my-api-v1-7f46f6656-x2x4z", False),
        ("api-v3-7f46f6656-x2x4z", False),
        ("api-v1-0", True),
        ("api-v1-cache-0", False),
    ],
)
def test_the_pods_are_those_of_this_services_versions(pod: str, is_one: bool) -> None:
    literal = pods_of("api", ["v1", "v2"])
    assert (re.fullmatch(literal[1:-1].replace("\\\\", "\\"), pod) is not None) is is_one
    assert f"pod=~{literal}" in app_source("n", "api", ["v1", "v2"]).requests


def test_names_that_kubernetes_cuts_are_known() -> None:
    service, version = "a-service-with-a-long-name-abc", "2026-11-27-a-long-version-name"
    pod = f"{workload_name(service, version)}-7f46f6656-"[:58] + "x2x4z"
    literal = pods_of(service, [version])
    assert re.fullmatch(literal[1:-1].replace("\\\\", "\\"), pod) is not None


LABELS = st.fixed_dictionaries(
    {"pod": st.sampled_from(["a", "b", ""])},
    optional={
        "job": st.sampled_from(["x", "y"]), "instance": st.sampled_from(["1", "2"]), "route": st.sampled_from(["r", "s"]),
        "status": st.sampled_from(["good", "bad"]), "service": st.sampled_from(["m", "n"]),
    },
)  # fmt: skip


@given(st.lists(LABELS, max_size=6), st.lists(LABELS, max_size=6))
def test_what_is_plain_is_what_the_long_way_finds(first: list[dict[str, str]], second: list[dict[str, str]]) -> None:
    several = [[Series(one, ((1.0, 1.0), (2.0, 3.0), (3.0, 5.0))) for one in each] for each in (first, second)]
    if _plain(several):
        assert of_one_way([*several[0], *several[1]]) == [*several[0], *several[1]]
        counted_once([*several[0], *several[1]])
        assert each_once(*several) == tuple(several)
