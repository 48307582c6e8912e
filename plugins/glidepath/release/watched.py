"""The step of a release that is in force, whether there is anything to judge in it, and what is sure of what is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any, TypeVar

from glidepath.errors import ClusterError, SetupError, TrafficDriftError
from glidepath.release.observation import observation
from glidepath.release.phases import WATCHED
from glidepath.release.run import Run, StepInForce

T = TypeVar("T")


class Confirmed:
    """Makes checks that find nothing as a rule, by what may be behind; what they find is checked once more by what is there now.

    One that found nothing is not made again while all that it read, of the cluster and of the record, is proven to be as it was.

    Args:
        run: The release by ports that read the API.
        rest: The same by ports that read what is watched; or by those of `run`.
    """

    def __init__(self, run: Run, rest: Run) -> None:
        self.run, self.rest = run, rest
        # By check: what the record had, what was read of the cluster, and the nothing that was found.
        self._nothing: dict[object, tuple[object, Sequence[Any], Any]] = {}

    def __call__(self, check: Callable[[Run], T], of: object = None) -> T:
        """What a check finds; what is false is nothing.

        Args:
            check: It goes by nothing else than what the run's ports and record say.
            of: What tells it from other checks; None: itself.
        """
        of = check if of is None else of
        known = self.run.ports.record.as_known(self.run.id)
        before, reads = self._nothing.get(of), self.rest.ports.reads
        if (
            before is not None
            and reads is not None
            and known is not None
            and known == before[0]
            and reads.same(before[1])
        ):
            return before[2]  # type: ignore[no-any-return]
        self._nothing.pop(of, None)
        try:
            with reads.noted() if reads is not None else nullcontext(()) as noted:
                found = check(self.rest)
            if not found:
                self._nothing[of] = known, noted, found
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
