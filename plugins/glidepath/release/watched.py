"""The step of a release that is in force, whether there is anything to judge in it, and what is sure of what is seen."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from glidepath.errors import ClusterError, SetupError, TrafficDriftError
from glidepath.release.observation import observation
from glidepath.release.phases import WATCHED
from glidepath.release.run import Run, StepInForce

T = TypeVar("T")


class Confirmed:
    """Makes checks that find nothing as a rule, by what may be behind; what they find is checked once more by what is there now.

    Args:
        run: The release by ports that read the API.
        rest: The same by ports that read what is watched; or by those of `run`.
    """

    def __init__(self, run: Run, rest: Run) -> None:
        self.run, self.rest = run, rest

    def __call__(self, check: Callable[[Run], T]) -> T:
        """What a check finds; what is false is nothing."""
        try:
            found = check(self.rest)
            if not found:
                return found
        except (ClusterError, SetupError, TrafficDriftError) as error:
            of_watches = not isinstance(error, ClusterError) or error.status == HTTPStatus.NOT_FOUND
            if self.rest is self.run or not of_watches:
                raise  # the API's own word: what is watched knows no other error than that something is gone
        # A task may have written both the cluster and the record since the record was read.
        self.run.ports.record.read_anew()
        return check(self.run)


def step_in_force(run: Run) -> StepInForce | None:
    """The step in force while the canary may have traffic and its fate is open, else None."""
    if run.release.phase not in WATCHED or run.journal.fate() is not None:
        return None
    return run.step()


def judged(run: Run, step: StepInForce) -> bool:
    """Whether there is anything to look at in a step."""
    observed = observation(run.spec)
    if observed is None or step.number != observed.number:
        return bool(step.number)
    return observed.judged and run.journal.word_on(step.number) is None
