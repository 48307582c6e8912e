"""What is measured on raw samples, and that every window counts in it."""

from __future__ import annotations

import pytest

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Waiting
from glidepath.evidence.cadence import Cadence, cadence
from glidepath.evidence.effect import wait_silent
from glidepath.evidence.interval import Collected
from glidepath.evidence.series import Series
from tests.unit.evidence.scraped import SOURCE, Scraped


def pod(name: str, every: float, last: float, count: int = 10) -> Series:
    """A pod that was scraped so often, lastly at `last`."""
    return Series({"pod": name}, tuple((last - every * (count - 1 - place), float(place)) for place in range(count)))


@pytest.mark.parametrize(
    ("series", "seen"),
    [
        ([pod("a", 5, 1000)], Cadence(5, 0)),
        ([pod("a", 5, 994)], Cadence(5, 0)),
        ([pod("a", 5, 984), pod("b", 5, 982)], Cadence(5, 16)),
        ([pod("a", 5, 998), pod("b", 30, 990)], Cadence(30, 0)),
        ([pod("gone", 5, 800), pod("a", 5, 999)], Cadence(5, 0)),
        ([pod("a", 5, 1000, 3)], None),
        ([], None),
    ],
)
def test_interval_and_lag(series: list[Series], seen: Cadence | None) -> None:
    assert cadence(series, 1000) == seen


class Late(Scraped):
    """A Prometheus that has samples some seconds after they were taken, and a clock of its own."""

    def __init__(self, every: float, lag: float, rates: dict[str, float]) -> None:
        super().__init__()
        self.every, self.lag, self.rates, self.clock, self.served = every, lag, rates, 1000.0, dict.fromkeys(rates, 0.0)
        self.at = 1000.0 - 40 * every
        self.run(0)

    def run(self, seconds: float) -> None:
        """Let time pass: pods are scraped, each at a time of its own."""
        self.clock += seconds
        while self.at + self.every <= self.clock:
            self.at += self.every
            for number, (version, rate) in enumerate(self.rates.items()):
                self.served[version] += rate * self.every
                self.pod(self.at - 0.3 * number, version, version + "-pod", round(self.served[version]))

    def now(self) -> float:
        return self.clock

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        found = super().range_vector(selector, window_s, at, step_s)
        had = [Series(one.labels, tuple(s for s in one.samples if s[0] <= self.clock - self.lag)) for one in found]
        return [one for one in had if one.samples]


@pytest.mark.parametrize(("every", "lag"), [(5, 15), (5, 0), (15, 8), (30, 0), (30, 40)])
def test_windows_count_in_interval_and_lag(every: float, lag: float) -> None:
    late = Late(every, lag, {"v1": 80, "v2": 20})
    watch = Collector(late, SOURCE, "v1", ["v1", "v2"], every, 100.0, lag)
    counted, silent = [0, 0], 0.0
    for _ in range(200):
        late.run(2.5)
        got = watch.collect(late.now())
        if isinstance(got, Collected):
            counted = [counted[0] + got.versions["v1"].requests, counted[1] + got.versions["v2"].requests]
        else:
            silent = max(silent, got.silent_s)
    assert silent <= 3 * every  # never NO_DATA
    assert counted[0] == pytest.approx(80 * (500 - every), abs=80 * 2 * every)
    assert counted[0] == 4 * counted[1]


@pytest.mark.parametrize(("every", "lag"), [(5, 15), (15, 0), (5, 8), (30, 0)])
def test_silence_is_not_seen_while_requests_arrive(every: float, lag: float, monkeypatch: pytest.MonkeyPatch) -> None:
    late, passed = Late(every, lag, {"v1": 20, "v2": 80}), [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds
        late.run(seconds)

    monkeypatch.setattr("glidepath.evidence.effect.time.sleep", sleep)
    monkeypatch.setattr("glidepath.evidence.effect.time.monotonic", lambda: passed[0])
    with pytest.raises(EvidenceError, match=r"v2 still got \d+ requests"):
        wait_silent(late, SOURCE, "v2", every, lag)
    late.rates["v2"] = 0
    waited = wait_silent(late, SOURCE, "v2", every, lag)
    assert every + lag <= waited <= 4 * every + lag + 2


def test_pods_that_are_gone_are_silent_and_samples_that_do_not_come_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    late, passed = Late(5, 0, {"v1": 20, "v2": 80}), [0.0]
    taken: list[str] = []

    def sleep(seconds: float) -> None:
        passed[0] += seconds
        for version in taken:
            late.rates.pop(version, None)
        late.run(seconds)

    monkeypatch.setattr("glidepath.evidence.effect.time.sleep", sleep)
    monkeypatch.setattr("glidepath.evidence.effect.time.monotonic", lambda: passed[0])
    taken.append("v2")
    assert wait_silent(late, SOURCE, "v2", 5.0) < 30
    taken.append("v1")
    with pytest.raises(EvidenceError, match="no two samples of v1-pod"):
        wait_silent(late, SOURCE, "v1", 5.0)
    assert isinstance(Collector(late, SOURCE, "v1", ["v1"], 5.0).collect(late.now()), Waiting)
