"""Each pod counts for as many scrapes as any other, whenever it is scraped and whenever one looks."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.evidence import Collector, Waiting
from glidepath.evidence.interval import Collected
from glidepath.judge.sample_ratio import SampleRatioTest
from tests.unit.evidence.scraped import SOURCE, Scraped

SCRAPE = 5.0
# Requests a second of each pod; so a count tells for how long a pod was counted.
PER_S = 20


@dataclass
class Pod:
    """A pod that is scraped every 5 s from a time on; its samples can be read so much later, and some scrapes fail."""

    version: str
    name: str
    phase: float
    lag: float = 0.0
    fails: frozenset[int] = frozenset()


@dataclass
class Scraping:
    """A Prometheus that scrapes some pods, and a collector that looks at it."""

    pods: list[Pod]
    scraped: Scraped = field(default_factory=Scraped)
    watch: Collector = field(init=False)
    _done: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = collector(self.scraped)

    def look(self, now: float) -> Collected | None:
        """The interval that there is at a time."""
        for pod in self.pods:
            number = self._done.get(pod.name, 0)
            while (at := 100 + pod.phase + SCRAPE * number) + pod.lag <= now:
                if number not in pod.fails:
                    self.scraped.pod(at, pod.version, pod.name, round(PER_S * at))
                number += 1
            self._done[pod.name] = number
        got = self.watch.collect(now)
        return got if isinstance(got, Collected) else None


def collector(scraped: Scraped) -> Collector:
    """A collector on it."""
    return Collector(scraped, SOURCE, "v1", ["v1", "v2"], SCRAPE)


def seconds(got: Collected | None) -> dict[str, float]:
    """For how long each pod was counted."""
    assert got is not None
    return {pod: n / PER_S for counts in got.versions.values() for pod, (n, _) in counts.by_pod.items()}


def test_a_look_that_comes_late_counts_both_arms_for_the_same_span() -> None:
    """The stable's pod is scraped at 105, 110, ..., the canary's at 104, 109, ...; the third look is due at 110."""
    played = Scraping([Pod("v1", "a", 5), Pod("v2", "c", 4)])
    assert played.look(105.5) is None
    assert seconds(played.look(110.5)) == {"a": 5, "c": 5}
    late = played.look(119.5)
    assert late is not None
    assert seconds(late) == {"a": 5, "c": 5}
    assert (late.start, late.end) == (110, 115)
    assert seconds(played.look(120.5)) == {"a": 5, "c": 5}


def test_a_look_that_comes_two_scrapes_late_counts_both_arms_for_all_of_it() -> None:
    played = Scraping([Pod("v1", "a", 5), Pod("v2", "c", 4), Pod("v2", "d", 7)])
    played.look(107.5)
    assert seconds(played.look(123.5)) == {"a": 15, "c": 15, "d": 15}
    assert seconds(played.look(139.5)) == {"a": 15, "c": 15, "d": 15}
    assert seconds(played.look(142.5)) == {"a": 5, "c": 5, "d": 5}


def test_a_scrape_that_fails_is_waited_for_by_all() -> None:
    played = Scraping([Pod("v1", "a", 0), Pod("v1", "b", 3, fails=frozenset({2})), Pod("v2", "c", 4)])
    played.look(104.5)
    assert seconds(played.look(109.5)) == {"a": 5, "b": 5, "c": 5}
    assert played.look(114.5) is None
    assert seconds(played.look(119.5)) == {"a": 10, "b": 10, "c": 10}


def test_samples_of_which_some_can_be_read_later_are_of_the_same_span() -> None:
    """A sample of the stable's pod is there 6 s after it was taken, one of the canary's at once."""
    played = Scraping([Pod("v1", "a", 0, lag=6), Pod("v2", "c", 0)])
    assert played.look(111) is None
    assert seconds(played.look(116)) == {"a": 5, "c": 5}
    assert seconds(played.look(121)) == {"a": 5, "c": 5}
    assert seconds(played.look(131)) == {"a": 10, "c": 10}


def test_a_guard_that_goes_on_after_a_while_counts_both_arms_for_the_same_span() -> None:
    played = Scraping([Pod("v1", "a", 5), Pod("v2", "c", 4)])
    played.look(105.5)
    state = played.watch.state()
    assert state is not None
    played.watch = collector(played.scraped)
    played.watch.resume(state)
    assert seconds(played.look(129.5)) == {"a": 20, "c": 20}


def test_a_pod_whose_scrapes_are_put_off_is_waited_for_and_then_goes_on() -> None:
    """Another target's offset, such as after a change of its address: from 4 s to 1 s past the full five."""
    played = Scraping([Pod("v1", "a", 0), Pod("v2", "c", 4)])
    played.look(104.5)
    assert seconds(played.look(109.5)) == {"a": 5, "c": 5}
    played.pods[1].phase = 1
    spans = [seconds(got) for now in range(110, 150) if (got := played.look(now + 0.5)) is not None]
    # It counts 3 s less once, of 20 s; a whole scrape would have been no sooner.
    assert [one["a"] - one["c"] for one in spans] == [3, *[0] * (len(spans) - 1)]
    assert spans[0]["a"] == 20
    assert all(one["a"] == SCRAPE for one in spans[1:])


def test_pods_that_can_never_be_counted_alike_are_counted_after_a_while() -> None:
    """One pod is scraped by another job, every 12 s: what there is counts, after two scrapes and a half of waiting."""
    scraped = Scraped()
    watch = collector(scraped)
    got = []
    for now in range(100, 200):
        if now % 5 == 0:
            scraped.pod(now, "v1", "a", PER_S * now)
        if now % 12 == 4:
            scraped.pod(now, "v2", "c", PER_S * now)
        found = watch.collect(now + 0.5)
        if isinstance(found, Collected):
            got.append(seconds(found))
        else:
            assert isinstance(found, Waiting)
    assert sum(one["a"] for one in got) > 60
    assert sum(one["c"] for one in got) > 60


@settings(deadline=None, max_examples=60)
@given(
    stable=st.lists(st.floats(0, 4.99), min_size=1, max_size=3),
    canary=st.lists(st.floats(0, 4.99), min_size=1, max_size=3),
    waits=st.lists(st.floats(0.5, 14), min_size=5, max_size=20),
    lags=st.lists(st.floats(0, 5), min_size=6, max_size=6),
    fails=st.sets(st.integers(3, 30), max_size=2),
    whose=st.integers(0, 5),
)
def test_a_fair_split_is_never_a_mismatch(
    stable: list[float], canary: list[float], waits: list[float], lags: list[float], fails: set[int], whose: int
) -> None:
    """Any scrape times, any times of looks, lags, and scrapes of one pod that fail; each pod gets as many requests."""
    pods = [Pod("v1", f"a{number}", phase) for number, phase in enumerate(stable)]
    pods += [Pod("v2", f"c{number}", phase) for number, phase in enumerate(canary)]
    for pod, lag in zip(pods, lags, strict=False):
        pod.lag = lag
    failing = pods[whose % len(pods)]
    # Later than that it would not be heard of for two scrapes and a half, and be gone: what it did comes when it is back.
    failing.lag = min(failing.lag, 2.0)
    failing.fails = frozenset(one for one in fails if one - 1 not in fails)
    played, split, now, seen = Scraping(pods), SampleRatioTest(len(canary), len(stable)), 115.0, 0
    played.look(now)
    for wait in [*waits, *[3.0] * 8]:
        now += wait
        if (got := played.look(now)) is not None:
            spans = seconds(got).values()
            assert max(spans) - min(spans) < SCRAPE / 2
            split.feed(got.versions["v2"].requests, got.versions["v1"].requests)
            seen += 1
    assert seen
    assert not split.mismatch
