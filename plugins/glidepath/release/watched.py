"""The step of a release that is in force, and whether there is anything to judge in it."""

from __future__ import annotations

from glidepath.release.observation import observation
from glidepath.release.phases import WATCHED
from glidepath.release.run import Run, Step


def step_in_force(run: Run) -> Step | None:
    """The step in force while the canary may have traffic and its fate is open, else None."""
    if run.release.phase not in WATCHED or run.journal.fate() is not None:
        return None
    return run.step()


def judged(run: Run, step: Step) -> bool:
    """Whether there is anything to look at in a step."""
    observed = observation(run.spec)
    if observed is None or step.number != observed.number:
        return bool(step.number)
    return observed.judged and run.journal.word_on(step.number) is None
