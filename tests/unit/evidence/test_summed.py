"""The stable's past in sums: which pods are, and what is asked of the others."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from glidepath.evidence import app_source
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import Histogram, Series
from glidepath.evidence.source import ShareSeries
from glidepath.evidence.summed import NAMED, Past, kept, steady_past, summed, whole, worth

SOURCE = app_source("sms-app", "model-service", ["v1", "v2"])


def series(pod: str, *values: float, **labels: str) -> Series:
    """A counter's samples, 15 s apart."""
    return Series(
        {"pod": pod, "job": "j", **labels}, tuple((1000.0 + 15 * at, value) for at, value in enumerate(values))
    )


@dataclass
class Told:
    """A Prometheus that says which pods are steady; 1 for those that are."""

    sums: list[Series]
    steady: dict[str, float]
    refuses: bool = False
    asked: list[str] = field(default_factory=list)

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        assert (window_s, at, step_s) == (1800, 2000, 15)
        self.asked.append(selector)
        if selector.startswith("(sum by"):
            if self.refuses:
                raise NotAnsweredError("no sums here")
            return self.sums
        return [series("part", 1, 2)]

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        return []

    def now(self) -> float:
        return 2000.0

    def vector(self, expression: str, at: float) -> list[Series]:
        assert expression == steady_past(SOURCE.requests, 1800, 15, False)
        return [Series({"pod": pod}, ((at, value),)) for pod, value in self.steady.items()]


def read(told: Told) -> list[Series]:
    """What is read of the requests."""
    return Past(told, SOURCE).range_vector(SOURCE.requests, 1800, 2000, 15)


def test_steady_pods_are_sums_and_the_others_are_read_in_parts() -> None:
    told = Told([series("a", 1, 5), series("b", 1, 5), series("c", 1, 5)], {"a": 2.0, "b": 0.0})
    assert [one.labels["pod"] for one in read(told)] == ["a", "part"]
    assert told.asked == [summed(SOURCE.requests, kept(SOURCE)), SOURCE.requests[:-1] + ',pod=~"b|c"}']


@pytest.mark.parametrize("values", [(5, 1), (5, float("nan"), 6), (-1, 2)])
def test_a_sum_that_does_not_rise_is_none(values: tuple[float, ...]) -> None:
    assert [one.labels["pod"] for one in read(Told([series("a", *values)], {"a": 2.0}))] == ["part"]


def test_many_pods_are_named_in_several_queries() -> None:
    told = Told([series(f"p{number:02}", 1, 5) for number in range(NAMED + 1)], {})
    assert len(read(told)) == 2
    assert [asked.count("|p") for asked in told.asked[1:]] == [NAMED - 1, 0]


def test_a_server_that_can_not_add_up_is_asked_for_samples() -> None:
    told = Told([], {}, refuses=True)
    assert [one.labels["pod"] for one in read(told)] == ["part"]
    assert told.asked[-1] == SOURCE.requests


def test_sums_keep_what_the_rules_go_by() -> None:
    source = app_source("n", "s", ["v1"])
    share = ShareSeries("spam", "m{}", (("tier", "paid"),), "m{}", (("result", "spam"),), "release")
    labels = kept(source) + kept(type(source)(**{**source.__dict__, "shares": (share,)}))
    assert {"pod", "le", "version", "status", "job", "instance", "node", "tier", "result", "release"} <= set(labels)
    assert not {"route", "method", "path"} & set(labels)


def test_few_series_or_those_without_a_target_are_not_added_up() -> None:
    labels = kept(SOURCE)
    many = [series("a", 1, route=str(number)) for number in range(300)]
    assert worth(many, labels)
    assert not worth(many[:100], labels)
    assert not worth([series("a", 1, version=str(number)) for number in range(300)], labels)
    assert not worth([*many, Series({"pod": "b"}, ((1.0, 1.0),))], labels)


def test_of_buckets_the_last_speaks_for_all() -> None:
    assert whole(SOURCE.latency, True) == SOURCE.latency[:-1] + ',le=~"[+]?[Ii]nf"}'
    assert whole(SOURCE.requests, False) == SOURCE.requests
