"""When a claim counts as expired: by what was seen, not by what a clock says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.claim import ClaimState
from glidepath.traffic import Split
from glidepath.watchdog.loop import TakeOver, safe_split
from glidepath.watchdog.sight import Sightings

NAME, WALL = "glidepath-prices", 1_800_000_000.0
HELD = ClaimState("run-1", 7, WALL, 60.0, {}, "41")


def seen(state: ClaimState, at: list[float], started: bool = True) -> Sightings:
    """A sight that looked at these moments, and before them once without this claim."""
    sight = Sightings()
    if started:
        sight.look({}, 0.0)
    for moment in at:
        sight.look({NAME: state}, moment)
    return sight


def test_a_claim_expires_after_its_duration_unchanged() -> None:
    seconds = [float(second) for second in range(1, 61)]
    assert not seen(HELD, seconds).expired(NAME, HELD, WALL + 60)
    assert seen(HELD, [*seconds, 61.0]).expired(NAME, HELD, WALL + 60)


@pytest.mark.parametrize("wall", [WALL - 1e6, WALL, WALL + 30, WALL + 1e6])
def test_the_wall_clock_has_no_say_about_a_claim_whose_renewal_was_seen(wall: float) -> None:
    assert not seen(HELD, [float(second) for second in range(1, 60)]).expired(NAME, HELD, wall)
    assert seen(HELD, [float(second) for second in range(1, 62)]).expired(NAME, HELD, wall)


def test_a_renewal_begins_anew() -> None:
    sight = seen(HELD, [float(second) for second in range(1, 60)])
    renewed = replace(HELD, renewed=WALL + 59, resource_version="42")
    for second in range(60, 119):
        sight.look({NAME: renewed}, float(second))
        assert not sight.expired(NAME, renewed, WALL + 1e6)


def test_a_claim_of_the_next_holder_begins_anew() -> None:
    sight = seen(HELD, [float(second) for second in range(1, 61)])
    other = replace(HELD, holder="run-2", token=8)
    sight.look({NAME: other}, 61.0)
    assert not sight.expired(NAME, other, WALL + 1e6)


def test_a_free_claim_never_expires() -> None:
    free = replace(HELD, holder="")
    assert not seen(free, [float(second) for second in range(1, 600)]).expired(NAME, free, WALL + 1e6)


def test_at_the_start_a_third_is_enough_where_the_wall_clock_agrees() -> None:
    early = seen(HELD, [float(second) for second in range(20)], started=False)
    assert not early.expired(NAME, HELD, WALL + 3600)
    later = seen(HELD, [float(second) for second in range(21)], started=False)
    assert later.expired(NAME, HELD, WALL + 3600)
    assert not later.expired(NAME, HELD, WALL + 59)


def test_a_renewal_after_the_start_ends_the_exception() -> None:
    sight = seen(HELD, [0.0, 1.0], started=False)
    renewed = replace(HELD, renewed=WALL + 10)
    for second in range(2, 62):
        sight.look({NAME: renewed}, float(second))
        assert not sight.expired(NAME, renewed, WALL + 1e6)


def test_time_without_looking_counts_for_a_third_at_most() -> None:
    sight = seen(HELD, [1.0, 2.0, 10_000.0])
    assert not sight.expired(NAME, HELD, WALL + 10_000)
    sight.look({NAME: HELD}, 20_000.0)
    assert not sight.expired(NAME, HELD, WALL + 20_000)
    sight.look({NAME: HELD}, 30_000.0)
    assert sight.expired(NAME, HELD, WALL + 30_000)


def test_a_lease_without_a_duration_gets_a_minute() -> None:
    endless = replace(HELD, duration_s=0.0)
    assert not seen(endless, [float(second) for second in range(1, 61)]).expired(NAME, endless, WALL)
    assert seen(endless, [float(second) for second in range(1, 62)]).expired(NAME, endless, WALL)


@given(gaps=st.lists(st.floats(0.01, 1000.0), min_size=1, max_size=80), wall=st.floats(-1e7, 1e7))
def test_nothing_expires_before_its_duration_has_passed(gaps: list[float], wall: float) -> None:
    sight, at = Sightings(), 0.0
    sight.look({}, at)
    sight.look({NAME: HELD}, at)
    for gap in gaps:
        at += gap
        sight.look({NAME: HELD}, at)
        if sight.expired(NAME, HELD, WALL + wall):
            assert at >= 60.0 - 1e-6


@given(st.integers(0, 100), st.sampled_from(["v1", "v2", "v3"]), st.sampled_from(["v1", "v2", None]))
def test_the_safe_split_has_everything_on_stable(weight: int, stable: str, canary: str | None) -> None:
    split = safe_split(stable, canary, Split("v1", "v2", weight))
    assert split.weights[stable] == 100
    assert safe_split(stable, canary, split) == split


def test_a_split_that_is_safe_already_stays_as_it_is() -> None:
    now = Split("v1", None, 0)
    assert safe_split("v1", "v2", now) is now


def test_what_is_noted_on_the_lease_reads_back() -> None:
    taken = TakeOver("run-1", 61.5, "v1 90 %, v2 10 %", braked=True)
    assert TakeOver.from_json(taken.to_json()) == taken
    assert TakeOver.from_json("").run == "unknown"
