"""What a task that fails or is killed leaves behind: why, and the brake."""

from __future__ import annotations

from contextlib import suppress
from textwrap import shorten

from glidepath.errors import ClaimLostError, ClusterError, GlidepathError
from glidepath.release.brake import take_back
from glidepath.release.events import TaskFailed
from glidepath.release.run import Run

# Of what is written down of an error, characters.
WHY_LENGTH = 400


def failed(run: Run, task: str, error: Exception) -> None:
    """Remember why a task failed: if the release ends for it, that is its reason. Never raises."""
    try:
        if run.release.outcome is None:
            run.note(TaskFailed(task, shorten(_why(run, error), WHY_LENGTH, placeholder=" ...")))
    except GlidepathError as error:
        run.say(f"why {task} failed could not be recorded: {error}")


def _why(run: Run, error: Exception) -> str:
    """The error's text. Where a token was refused: who holds the claim now, and why, if that can be read."""
    holder = None
    if isinstance(error, ClaimLostError):
        with suppress(ClusterError):
            holder = run.ports.claims.lost(run.claim)
    return holder or str(error)


def abort(run: Run, reason: str) -> None:
    """What a killed task or trigger does: note it and brake; never raises, others finish the rollback."""
    try:
        release = run.release
        if release.outcome is None and release.token is not None:
            take_back(run, reason)
    except GlidepathError as error:
        run.say(f"abort: the brake failed: {error}; the cluster's watchdog acts when the lease runs out")
