"""The task `observe`: the end of a promotion with an observation. Run again, it finds nothing to do."""

from __future__ import annotations

from glidepath.errors import ReleaseTakenBack
from glidepath.release.brake import committed
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.observation import observation
from glidepath.release.run import Run
from glidepath.release.tasks.promote import complete, under_claim


@leaves_nothing
def observe(run: Run) -> None:
    """End the observation after the guard's word: all traffic, the point of no return, the role; the old version goes.

    Raises:
        ReleaseTakenBack: The release was taken back, or the observation is not over.
        GlidepathError: As for `promote`.
    """
    observed = observation(run.spec)
    if (
        observed is not None
        and run.journal.answer_on(observed.number) is None
        and not run.ended()
        and not committed(run)
    ):
        raise ReleaseTakenBack("the guard gave no word on the observation; the release goes back to stable")
    under_claim(run, complete)
