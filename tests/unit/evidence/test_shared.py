"""One reader for many: each has what it would have had alone, and nobody's fault is another's."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import SampledEvidence, Source, Waiting, app_source, mesh_source
from glidepath.evidence.interval import Collected
from glidepath.evidence.prometheus import NotAnsweredError, RefusedError
from glidepath.evidence.shared import Shared
from glidepath.evidence.view import View
from tests.unit.evidence.stored import NAMED, Labels, Stored, texts

BEGAN, SCRAPE = 1000, 5
NAMES = st.sampled_from(["a", "a-b", "a-b-c", "a.b", "ab", "a|b", "a+", "é", "(", 'q"', "b\\"])
TIMES = st.lists(st.integers(BEGAN * 1000, BEGAN * 1000 + 40_000), min_size=1, max_size=6, unique=True).map(sorted)


@dataclass
class Watching:
    """One whose next look is due."""

    due: float = 0.0

    def window(self, at: float) -> float:
        return 18.0


def view(shared: Shared, watching: Watching, beat_s: float = 1.0) -> View:
    made = shared.view(beat_s)
    made.serve(watching)
    return made


def series_of(
    namespace: str, service: str, version: str, times: list[int], number: int
) -> tuple[Labels, list[tuple[int, float]]]:
    labels = {
        "__name__": "app_predictions_total", "namespace": namespace, "version": version, "status": "success",
        "pod": f"{service}-{version}-6c4f9d8b7{number}-x{number:03d}z",
    }  # fmt: skip
    return labels, [(time, place + 0.1 * number) for place, time in enumerate(times)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Stored, list[Source], list[tuple[int, int]]]:
    """A Prometheus, what is asked about, and each one's window: seconds, and milliseconds before the beat that it ends."""
    services = draw(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5, unique=True))
    series, sources = [], []
    for number, (namespace, service) in enumerate(services):
        versions = draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
        series += [series_of(namespace, service, version, draw(TIMES), number) for version in versions]
        sources.append(app_source(namespace, service, versions))
    windows = [(draw(st.integers(1, 30)), draw(st.sampled_from([0, 0, 0, 1, 700]))) for _ in sources]
    clock = BEGAN + draw(st.integers(0, 40_000)) / 1000
    return Stored(series, clock, draw(st.booleans())), sources, windows


@given(worlds(), st.integers(2, 4))
@settings(max_examples=300, deadline=None)
def test_each_has_bit_for_bit_what_it_would_have_had_alone(
    world: tuple[Stored, list[Source], list[tuple[int, int]]], beats: int
) -> None:
    stored, sources, windows = world
    steady = [0.0]
    shared, watching = Shared(stored, lambda: steady[0]), Watching()
    views = [view(shared, watching) for _ in sources]
    for beat in range(beats):
        steady[0], stored.clock = float(beat), stored.clock + 1.3
        for one, source, (seconds, before) in zip(views, sources, windows, strict=True):
            at = one.now() - before / 1000
            assert one.range_vector(source.requests, seconds, at) == stored.range_vector(source.requests, seconds, at)


def many(count: int) -> tuple[Stored, list[Source]]:
    times = [BEGAN * 1000 + 1000 * SCRAPE * place for place in range(90)]
    series = [
        series_of(f"ns{number}", "shop", version, times, number) for number in range(count) for version in ("v1", "v2")
    ]
    return Stored(series, BEGAN + 101.5), [app_source(f"ns{number}", "shop", ["v1", "v2"]) for number in range(count)]


class Several:
    """Many who watch a Prometheus, each its own service, and who have looked once: from then on they are expected."""

    def __init__(self, count: int) -> None:
        self.stored, self.sources = many(count)
        self.steady = 0.0
        self.shared = Shared(self.stored, lambda: self.steady)
        self.watching = [Watching() for _ in self.sources]
        self.views = [view(self.shared, one) for one in self.watching]
        for number in range(count):
            self.look(number)
        self.beat()

    def beat(self) -> None:
        self.steady, self.stored.clock = self.steady + 1, self.stored.clock + 1
        self.stored.asked.clear()

    def look(self, number: int) -> int:
        """How many series the one of that number sees."""
        one = self.views[number]
        return len(one.range_vector(self.sources[number].requests, 18, one.now()))


def test_those_who_are_expected_are_asked_for_together() -> None:
    several = Several(100)
    assert [several.look(number) for number in range(100)] == [2] * 100
    assert len(several.stored.asked) == 2  # the time, and one query for all


def test_nobody_is_asked_for_who_is_not_due_or_is_gone() -> None:
    several = Several(4)
    several.watching[1].due = BEGAN + 10_000.0
    del several.views[2]
    del several.watching[3]
    several.look(0)
    assert [name for name in ("ns0", "ns1", "ns2", "ns3") if name in several.stored.asked[1]] == ["ns0"]


def test_who_looks_late_looks_as_of_its_own_beat() -> None:
    several = Several(2)
    several.look(0)
    late, at = several.views[1], several.views[1].now()
    several.beat()
    several.look(0)
    several.stored.asked.clear()
    assert late.range_vector(several.sources[1].requests, 18, at) != []
    assert several.stored.asked == []


def test_a_query_that_can_not_be_answered_is_its_own_matter() -> None:
    several = Several(10)
    several.stored.refused = "ns3"
    for _ in range(2):
        for number in range(10):
            if number != 3:
                assert several.look(number) == 2
                continue
            with pytest.raises(NotAnsweredError, match=r"too much: .*namespace=\"ns3\""):
                several.look(3)
        asked = len(several.stored.asked)
        several.beat()
    assert asked <= 4  # once known it is asked alone, and the others together, in queries that are half as large


def test_queries_that_are_too_large_become_smaller_and_larger_again_after_a_while() -> None:
    several = Several(16)
    several.stored.most = 4
    sizes = []
    for _ in range(70):
        assert [several.look(number) for number in range(16)] == [2] * 16
        sizes.append(max(len(NAMED.findall(one)) for one in texts(several.stored.asked)))
        several.beat()
    assert sizes[0] == 16
    assert sizes[10] in (2, 4)
    assert sum(size > 4 for size in sizes[10:]) <= 2  # tried again once a minute
    several.stored.most = 16
    for _ in range(2):
        several.steady += 61
        several.beat()
        several.look(0)
    assert max(len(NAMED.findall(one)) for one in texts(several.stored.asked)) > 4


def test_a_long_query_is_cut() -> None:
    several = Several(1)
    text = several.sources[0].requests.replace("ns0", "n" * 30_000 + "{}")
    views = [view(several.shared, several.watching[0]) for _ in range(8)]
    for _ in range(2):
        several.beat()
        for number, one in enumerate(views):
            one.range_vector(text.replace("{}", str(number)), 18, one.now())
    assert len(texts(several.stored.asked)) == 3
    assert max(map(len, several.stored.asked)) < 110_000


def test_an_error_that_is_everyones_is_told_about_each_ones_own_query() -> None:
    several = Several(3)
    times = [one.now() for one in several.views]
    down = EvidenceError("did not answer the query 'a very long one'")
    down.__cause__ = requests.ConnectTimeout("timed out")
    several.stored.down = down
    for number, (one, at) in enumerate(zip(several.views, times, strict=True)):
        with pytest.raises(
            EvidenceError, match=rf"http://prometheus did not answer the query 'm.ns=\"{number}\".\[18s\]': timed out"
        ):
            one.range_vector(f'm{{ns="{number}"}}', 18, at)
    several.stored.asked.clear()
    several.stored.down = RefusedError("refuses this caller")
    with pytest.raises(RefusedError, match="refuses this caller"):
        several.views[0].range_vector('m{ns="9"}', 18, times[0])


def test_while_a_prometheus_hangs_one_at_a_time_waits_for_it_and_nobody_for_another() -> None:
    stored, _ = many(1)
    hangs, calls = threading.Event(), []

    class Hanging(Stored):
        def now(self) -> float:
            calls.append(threading.get_ident())
            if len(calls) > 1:
                hangs.wait(30)
            raise EvidenceError("timed out")

    steady = [0.0]
    shared = Shared(Hanging(stored.series, 0.0), lambda: steady[0])
    views = [view(shared, Watching()) for _ in range(50)]
    with pytest.raises(EvidenceError, match="timed out"):
        views[0].now()
    steady[0] = 1.0

    def wait() -> None:
        with pytest.raises(EvidenceError, match="timed out"):
            views[0].now()

    waits = threading.Thread(target=wait, daemon=True)
    waits.start()
    while len(calls) < 2:
        waits.join(0.01)
    for one in views[1:]:
        with pytest.raises(EvidenceError, match="timed out"):
            one.now()
    assert len(calls) == 2
    hangs.set()
    waits.join(30)
    assert Shared(stored, lambda: 0.0).view(1.0).now() == stored.clock


def test_two_who_watch_through_one_reader_count_what_each_counts_alone() -> None:
    stored, sources = many(3)
    steady = [0.0]
    shared = Shared(stored, lambda: steady[0])
    alone, together = ([SampledEvidence(stored, one).watch(source, "v1", ["v1", "v2"], SCRAPE) for source in sources]
                       for one in (None, shared))  # fmt: skip
    counted = 0
    for beat in range(60):
        steady[0], stored.clock = float(beat), BEGAN + 20.5 + beat
        for one, other in zip(alone, together, strict=True):
            found = other.collect(other.now())
            assert one.collect(one.now()) == found
            counted += isinstance(found, Collected)
    assert counted == 3 * 11


def test_threads_at_once_have_their_own() -> None:
    several = Several(24)
    found: dict[int, list[str]] = {}
    ready = threading.Barrier(24)

    def work(number: int) -> None:
        one = several.views[number]
        ready.wait()
        series = one.range_vector(several.sources[number].requests, 18, one.now())
        found[number] = [each.labels["namespace"] for each in series]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [f"ns{number}"] * 2 for number in range(24)}
    assert len(several.stored.asked) <= 3


def test_a_source_of_the_mesh_is_merged_as_well() -> None:
    stored, _ = many(1)
    shared, watching = Shared(stored, lambda: 0.0), Watching()
    views = [view(shared, watching) for _ in range(2)]
    for number, one in enumerate(views):
        assert one.range_vector(mesh_source(f"ns{number}", "shop", ["v1"]).requests, 18, one.now()) == []
    assert isinstance(
        SampledEvidence(stored, shared).watch(mesh_source("x", "shop", ["v1"]), "v1", ["v1"], 5).collect(0.0), Waiting
    )


def test_many_that_begin_at_once_are_asked_for_together_from_the_first_look_on() -> None:
    """Such as after a triggerer died: some go on from what the last one read a while ago, and look further back."""
    stored, sources = many(50)
    shared = Shared(stored, lambda: 0.0)
    watches = [SampledEvidence(stored, shared).watch(source, "v1", ["v1", "v2"], SCRAPE) for source in sources]
    for watch in watches[::2]:
        watch.resume({"end": stored.clock - 4, "pods": [], "processes": [], "known": []})
    for watch in watches:
        watch.collect(watch.now())
    assert len(texts(stored.asked)) <= 4  # requests and latency
    assert max(one.count("ns") for one in texts(stored.asked)) > 25


def test_who_comes_late_reads_what_was_asked_for_it_and_asks_only_for_what_is_newer() -> None:
    several = Several(3)
    several.look(0)
    began = several.stored.clock
    several.beat()
    several.beat()
    late = several.views[1]
    assert late.now() == began
    late.range_vector(several.sources[1].requests, 18, began)
    assert several.stored.asked == []
    assert late.now() == several.stored.clock
    several.watching[2].due = began + 1.5
    assert several.views[2].now() == several.stored.clock
    for _ in range(5):
        several.beat()
        several.look(0)
    assert several.views[1].now() > began + 5
