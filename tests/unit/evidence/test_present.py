"""Looks read in sums: the same counts as from every sample, whatever pods and counters do."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Waiting
from glidepath.evidence.interval import Collected
from glidepath.evidence.source import ShareSeries
from tests.unit.evidence.summing import SOURCE, Summing, adding

SCRAPE = 5.0
EDGES = ("0.05", "0.1", "+Inf")
# A release counts at the edges that it was planned with.
PLANNED = replace(SOURCE, edges=(0.05, 0.1))
PODS = {"a": "v1", "b": "v1", "c": "v2"}
HAPPENS = ("nothing", "restart", "vanish", "return", "birth", "lost", "dip", "fall", "twice", "once", "edge")


@dataclass
class Pod:
    """A pod's counters: by route and status what they have, and those that are not shown now."""

    name: str
    version: str
    phase: float
    counts: dict[tuple[str, str], float] = field(
        default_factory=lambda: {("/a", "success"): 900, ("/b", "success"): 700}
    )
    hidden: set[tuple[str, str]] = field(default_factory=set)
    jobs: tuple[str, ...] = ("one",)
    edges: tuple[str, ...] = EDGES

    def happen(self, what: str) -> None:
        """What a scrape finds beside new requests."""
        busiest = max(self.counts, key=lambda one: self.counts[one])
        if what == "restart":
            self.counts = dict.fromkeys(self.counts, 0)
        elif what == "vanish":
            self.hidden.add(busiest)
        elif what == "return":
            self.hidden.clear()
        elif what == "birth":
            self.counts.setdefault(("/a", "error"), 1)
        elif what == "dip":
            self.counts[busiest] = max(0, self.counts[busiest] - 30)
        elif what == "fall":
            self.counts[busiest] = round(self.counts[busiest] * 0.7)
        elif what in ("twice", "once"):
            self.jobs = ("one", "two") if what == "twice" else ("one",)
        elif what == "infinite":
            self.counts[busiest] = math.inf
        elif what == "edge":
            self.edges = ("0.05", "0.1", "0.2", "+Inf") if self.edges == EDGES else EDGES

    def scrape(self, prometheus: Summing, at: float, served: int) -> None:
        """Serve so many requests on each route, and be scraped."""
        for one in self.counts:
            self.counts[one] += served if one[1] == "success" else served // 7
        for job in self.jobs:
            shown = set()
            for (route, status), count in self.counts.items():
                if (route, status) in self.hidden:
                    continue
                labels = {"pod": self.name, "version": self.version, "job": job, "route": route, "status": status}
                shown.add(self._add(prometheus, at, count, name="requests", **labels))
                for place, edge in enumerate(self.edges if status == "success" else ()):
                    below = count if edge == "+Inf" else count * (place + 1) // 5
                    shown.add(self._add(prometheus, at, below, name="latency", le=edge, **labels))
            self._end(prometheus, at, shown, job)

    def _add(self, prometheus: Summing, at: float, value: float, **labels: str) -> tuple[tuple[str, str], ...]:
        prometheus.add(at, value, **labels)
        return tuple(sorted(labels.items()))

    def _end(self, prometheus: Summing, at: float, shown: set[tuple[tuple[str, str], ...]], job: str) -> None:
        for key, samples in prometheus.series.items():
            labels = dict(key)
            mine = labels["pod"] == self.name and labels["job"] == job
            if mine and key not in shown and samples[-1][0] < at:
                prometheus.stale.setdefault(key, []).append(at)


def looks(
    history: list[list[tuple[str, int]]], sums: bool, lag: float = 0.0, apart: frozenset[str] = frozenset()
) -> list[Collected | Waiting | str]:
    """What a collector says after each scrape; `history` has for each scrape and pod what happens, and what it serves."""
    prometheus = Summing(lag=dict.fromkeys(PODS, lag))
    pods = [Pod(name, version, 0.4 * place) for place, (name, version) in enumerate(PODS.items())]
    watch = Collector(prometheus, PLANNED, "v1", ["v1", "v2"], SCRAPE, lag_s=lag, apart=apart)
    said: list[Collected | Waiting | str] = []
    with adding() if sums else nullcontext():
        for number, row in enumerate(history):
            at = 1000 + SCRAPE * number
            for pod, (what, served) in zip(pods, row, strict=True):
                pod.happen(what)
                if what != "lost":
                    pod.scrape(prometheus, at + pod.phase, served)
            prometheus.clock = at + 2 + lag
            try:
                said.append(watch.collect(prometheus.clock))
            except EvidenceError as error:
                said.append(str(error))
    if sums:
        assert prometheus.asked or not any(isinstance(one, Collected) for one in said), "no sums were asked for"
    return said


quiet = st.tuples(st.just("nothing"), st.integers(10, 60))
event = st.tuples(st.sampled_from(HAPPENS), st.integers(0, 60))
scrapes = st.lists(st.lists(st.one_of(quiet, quiet, event), min_size=3, max_size=3), min_size=4, max_size=14)


@settings(max_examples=40, deadline=None)
@given(history=scrapes, lag=st.sampled_from((0.0, 7.0)), apart=st.sampled_from((frozenset[str](), frozenset({"b"}))))
def test_sums_count_what_the_samples_count(
    history: list[list[tuple[str, int]]], lag: float, apart: frozenset[str]
) -> None:
    for summed, sampled in zip(looks(history, True, lag, apart), looks(history, False, lag, apart), strict=True):
        if isinstance(summed, str) and isinstance(sampled, str) and summed != sampled:
            return  # both refuse, each for what it saw, and what they took in differs from then on
        assert summed == sampled


def test_a_counter_that_is_infinite_is_in_no_sum() -> None:
    history = [[("nothing", 50)] * 3 for _ in range(10)]
    history[5][2], history[7][2] = ("infinite", 50), ("restart", 50)
    assert looks(history, sums=True) == looks(history, sums=False)
    assert isinstance(looks(history, sums=True)[9], Collected)


def test_what_ended_long_ago_is_not_read_again_for_others() -> None:
    """A pod is gone that was scraped twice; then another's edges change, and all is read in samples, from where each was read last."""
    history = calm(11)
    for scrape, what in ((3, "vanish"), (4, "fall"), (5, "twice"), (7, "vanish")):
        history[scrape][0] = (what, 0)
    history[10][2] = ("edge", 0)
    assert looks(history, True) == looks(history, False)
    assert isinstance(looks(history, True)[-1], Collected)


def test_a_pod_that_two_jobs_scrape_is_one_when_a_counter_of_it_ends() -> None:
    """Its edges change back; the last sample of the edge that is gone is all that samples show of it later."""
    history = calm(9)
    history[0][1] = ("twice", 0)
    history[2][1] = history[6][1] = ("edge", 0)
    history[5][2] = ("vanish", 0)
    assert looks(history, True) == looks(history, False)
    assert isinstance(looks(history, False)[-1], Collected)


def test_a_way_that_ended_counts_nothing_beside_the_other() -> None:
    """Of the second job's series one sample is left in the window, which says nothing of whether it is another counter."""
    history = calm(9)
    for scrape, pod, what in (
        (0, 2, "restart"), (1, 1, "twice"), (2, 2, "vanish"), (3, 2, "dip"), (4, 2, "vanish"), (6, 1, "once"),
    ):  # fmt: skip
        history[scrape][pod] = (what, 30)
    assert looks(history, True) == looks(history, False)
    assert isinstance(looks(history, False)[-1], Collected)


@settings(max_examples=20, deadline=None)
@given(history=scrapes)
def test_a_pod_that_is_set_apart_is_a_part_of_what_is_counted(history: list[list[tuple[str, int]]]) -> None:
    alone = [
        replace(one, versions={name: replace(counts, apart=None) for name, counts in one.versions.items()})
        if isinstance(one, Collected) else one
        for one in looks(history, True, apart=frozenset({"b"}))
    ]  # fmt: skip
    assert alone == looks(history, True)


def test_what_a_pod_that_is_set_apart_counted_is_told() -> None:
    history = calm(8)
    for row in history:
        row[1] = ("nothing", 70)
    last = looks(history, True, apart=frozenset({"b", "gone"}))[-1]
    assert isinstance(last, Collected)
    stable, sick = last.versions["v1"], last.versions["v1"].apart
    assert sick is not None
    assert (sick.requests, sick.by_pod, sum(sick.latency)) == (140, {"b": (140, 0)}, 140)
    assert (stable.requests, sum(stable.latency)) == (220, 220)
    assert last.versions["v2"].apart is None


def calm(number: int) -> list[list[tuple[str, int]]]:
    """Scrapes at which nothing happens."""
    return [[("nothing", 40), ("nothing", 40), ("nothing", 20)] for _ in range(number)]


@pytest.mark.parametrize("what", HAPPENS)
def test_what_happens_in_quiet_traffic_counts_alike(what: str) -> None:
    history = calm(12)
    history[5][1] = (what, 40)
    history[8][2] = ("return", 20)
    assert looks(history, True) == looks(history, False)


def collector(prometheus: Summing) -> Collector:
    """A collector on it."""
    return Collector(prometheus, SOURCE, "v1", ["v1", "v2"], SCRAPE)


def looked(watch: Collector, prometheus: Summing, *pods: Pod, scrapes: int = 4) -> list[Collected | Waiting]:
    """What a collector says after each of some scrapes, of pods that serve alike."""
    said = []
    with adding():
        for number in range(scrapes):
            for pod in pods:
                pod.scrape(prometheus, 1000 + SCRAPE * number, 40)
            prometheus.clock = 1002 + SCRAPE * number
            said.append(watch.collect(prometheus.clock))
    return said


def test_steady_pods_are_read_in_sums() -> None:
    prometheus, pod = Summing(), Pod("a", "v1", 0.0)
    got = looked(collector(prometheus), prometheus, pod)[-1]
    assert isinstance(got, Collected)
    assert (got.versions["v1"].requests, got.versions["v1"].by_pod) == (80, {"a": (80, 0)})
    assert [one.sums for one in prometheus.asked] == [False, False, True, True, True, True]


def test_a_server_that_can_not_add_up_is_read_in_samples() -> None:
    prometheus, pod = Summing(refuses=True), Pod("a", "v1", 0.0)
    got = looked(collector(prometheus), prometheus, pod)[-1]
    assert isinstance(got, Collected)
    assert got.versions["v1"].requests == 80
    assert not prometheus.asked


def test_a_guard_goes_on_from_sums() -> None:
    prometheus, pod = Summing(), Pod("a", "v1", 0.0)
    watch = collector(prometheus)
    looked(watch, prometheus, pod)
    state = watch.state()
    assert state is not None
    with adding():
        other = collector(prometheus)
        other.resume(state)
        pod.scrape(prometheus, 1020, 40)
        prometheus.clock = 1022
        got = other.collect(prometheus.clock)
    assert isinstance(got, Collected)
    assert got.versions["v1"].requests == 80
    assert sum(got.versions["v1"].latency) == 80


def test_a_look_that_could_not_be_counted_loses_no_pod() -> None:
    prometheus, pods = Summing(), [Pod("a", "v1", 0.0), Pod("b", "v1", 0.5)]
    watch = Collector(prometheus, SOURCE, "v1", ["v1", "v2"], SCRAPE)

    def look(number: int) -> Collected | Waiting:
        for pod in pods:
            pod.scrape(prometheus, 1000 + SCRAPE * number + pod.phase, 40)
        prometheus.clock = 1002 + SCRAPE * number
        return watch.collect(prometheus.clock)

    with adding():
        for number in range(4):
            look(number)
        pods[1].happen("birth")
        with (
            mock.patch("glidepath.evidence.collector.common_edges", side_effect=EvidenceError("no edges")),
            pytest.raises(EvidenceError, match="no edges"),
        ):
            look(4)
        got = look(5)
    assert isinstance(got, Collected)
    assert got.versions["v1"].by_pod["a"] == (160, 0)
    assert got.versions["v1"].by_pod["b"][0] >= 160


def test_a_pod_whose_first_samples_come_too_late_is_not_in_the_sums() -> None:
    prometheus = Summing(lag={"b": 60.0})
    said = looked(collector(prometheus), prometheus, Pod("a", "v1", 0.0), Pod("b", "v1", 0.0), scrapes=16)
    counted = [one.versions["v1"].requests for one in said if isinstance(one, Collected)]
    assert set(counted) == {80}
    assert all(sum(one.versions["v1"].latency) == 80 for one in said if isinstance(one, Collected))


def test_what_counters_had_is_looked_for_in_all_pods_of_a_selector() -> None:
    share = ShareSeries(
        "spam", SOURCE.requests, (("status", "success"),), SOURCE.requests, (("status", "error"),), "version"
    )
    prometheus, pods = Summing(), [Pod("a", "v1", 0.0), Pod("b", "v1", 0.5)]
    source = replace(SOURCE, shares=(share,))
    watch = Collector(prometheus, source, "v1", ["v1", "v2"], SCRAPE)
    pods[1].counts[("/a", "error")] = 40
    with adding():
        for number in range(30):
            pods[0].happen("birth" if number == 28 else "nothing")
            pods[1].hidden = {("/a", "error")} if 5 <= number < 28 else set()
            for pod in pods:
                pod.scrape(prometheus, 1000 + SCRAPE * number + pod.phase, 7)
            prometheus.clock = 1002 + SCRAPE * number
            got = watch.collect(prometheus.clock)
            if number == 28:
                assert isinstance(got, Collected)
                # The one that is born counted from zero; the one that came back had so many before.
                assert got.versions["v1"].by_pod["a"][1] == 2
                assert got.versions["v1"].shares["spam"][0] == got.versions["v1"].errors
