"""Charts have few points, and none of the turns is missing."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from glidepath.judge import Look, Verdict
from glidepath.status.series import POINTS, series, thinned


def looks(*turns: tuple[int, Verdict]) -> list[tuple[int, Look]]:
    """Looks of these steps and verdicts, one a second."""
    return [
        (seq, Look(float(seq), step, 10 * step, verdict, "", False, False, False, seq, seq, seq, (), "", None))
        for seq, (step, verdict) in enumerate(turns, 1)
    ]


PLAYED = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(Verdict), st.integers(1, 400)), min_size=1, max_size=6
).map(lambda parts: looks(*[(step, verdict) for step, verdict, count in parts for _ in range(count)]))


@given(PLAYED)
def test_few_points_are_left_in_order_with_both_ends_and_every_turn(played: list[tuple[int, Look]]) -> None:
    kept = [seq for seq, _ in thinned(played)]
    assert kept == sorted(set(kept))
    assert {kept[0], kept[-1]} == {1, len(played)}
    assert len(kept) <= POINTS + 2 * 6 + 2
    for (_, before), (seq, look) in itertools.pairwise(played):
        if (before.step, before.verdict) != (look.step, look.verdict):
            assert seq in kept


def test_a_look_that_changed_the_verdict_is_a_moment_and_one_that_did_not_is_none() -> None:
    played = looks((1, Verdict.UNDECIDED), (1, Verdict.UNDECIDED), (1, Verdict.NO_DATA), (1, Verdict.UNDECIDED))
    assert [one.text.split(":")[0] for one in series(played).moments] == ["look 1", "look 3", "look 4"]
    assert [one.text.split(":")[0] for one in series(played[1:], 1, played[0][1]).moments] == ["look 3", "look 4"]


def test_no_look_makes_no_points() -> None:
    assert series([]).seq == []
    assert thinned([]) == []
