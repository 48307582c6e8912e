"""Metrics of releases: what people wrote on a Lease ends no pass, and an end is counted once."""

from __future__ import annotations

import pytest

from glidepath.claim.state import STATUS, ClaimState
from glidepath.watchdog.released import Releases


def state(status: str | None, run: str = "", outcome: str = "") -> ClaimState:
    """A Lease."""
    marks = {"glidepath.dev/last-run": run, "glidepath.dev/last-outcome": outcome} if run else {}
    return ClaimState("", 1, 0.0, 60.0, {**({STATUS: status} if status else {}), **marks}, "1")


def lines(releases: Releases) -> list[str]:
    """The samples."""
    return [line for line in releases.lines() if not line.startswith("#")]


@pytest.mark.parametrize(
    "status", ["", "no JSON", "[]", '"text"', "null", '{"weight": "many", "phase": 7, "metrics": [1], "at": null}', '{"metrics": {"a": 3}}']
)  # fmt: skip
def test_what_is_no_status_of_ours_is_left_out(status: str) -> None:
    releases = Releases()
    releases.seen("shop", {"prices": state(status)})
    assert not [line for line in lines(releases) if "weight" in line or "metric=" in line]


def test_an_end_is_counted_once_and_one_from_before_the_start_never() -> None:
    releases = Releases()
    releases.seen("shop", {"prices": state(None, "run-1", "promoted")})
    assert 'glidepath_release_ended_total{namespace="shop",service="prices",outcome="promoted"} 0' in lines(releases)
    for _ in range(2):
        releases.seen("shop", {"prices": state(None, "run-2", "promoted")})
    releases.seen("shop", {"prices": state(None, "run-3", "rolled_back")})
    assert 'glidepath_release_ended_total{namespace="shop",service="prices",outcome="promoted"} 1' in lines(releases)
    assert 'glidepath_release_ended_total{namespace="shop",service="prices",outcome="rolled_back"} 1' in lines(releases)


def test_an_end_that_is_yet_to_come_is_told_as_none() -> None:
    """Of a counter that appears as 1 Prometheus counts no increase."""
    releases = Releases()
    releases.seen("shop", {"prices": state(None)})
    ends = [line.rpartition("outcome=")[2] for line in lines(releases) if "ended_total" in line]
    assert ends == ['"abandoned"} 0', '"promoted"} 0', '"rolled_back"} 0']


def test_labels_are_escaped() -> None:
    releases = Releases()
    releases.seen("shop", {"prices": state('{"canary": "a\\"b\\\\c\\nd"}')})
    assert r'canary="a\"b\\c\nd"' in lines(releases)[0]
