"""Steps have numbers: two of one weight are two."""

from __future__ import annotations

from glidepath.judge import Interval, Judge, Numbering
from tests.unit.judge.test_judge import flat
from tests.unit.judge.traffic import planned


class TestSteps:
    """A step is known by its number; old recordings, which have none, are numbered as they are read."""

    def walked(self, *steps: tuple[int, int | None], read: Numbering | None = None) -> list[tuple[int, int]]:
        """Looks at intervals of these weights and numbers: the step's number and its canary requests so far."""
        judge, told = Judge(planned()), []
        for at, (weight, number) in enumerate(steps):
            interval = Interval(5 * at, 5 * at + 5, weight, flat(90), flat(10), number)
            look = judge.look(read.numbered(interval) if read else interval)
            told.append((look.step, look.step_canary_requests))
        return told

    def test_two_steps_of_one_weight_are_two(self) -> None:
        assert self.walked((5, 1), (5, 1), (5, 2)) == [(1, 10), (1, 20), (2, 10)]

    def test_a_step_without_an_interval_is_counted(self) -> None:
        assert self.walked((5, 1), (50, 3)) == [(1, 10), (3, 10)]

    def test_the_judge_takes_no_weight_for_a_step(self) -> None:
        assert self.walked((5, None), (25, None), (25, 2), (50, None)) == [(1, 10), (1, 20), (2, 10), (2, 20)]

    def test_without_numbers_another_weight_is_the_next_step(self) -> None:
        told = self.walked((5, None), (25, None), (25, None), read=Numbering())
        assert told == [(1, 10), (2, 10), (2, 20)]

    def test_a_release_goes_on_over_an_upgrade(self) -> None:
        told = self.walked((5, None), (25, None), (25, 2), (50, 3), read=Numbering())
        assert told == [(1, 10), (2, 10), (2, 20), (3, 10)]
