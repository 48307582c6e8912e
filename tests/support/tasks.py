"""The tasks of a release as tests run them: each takes the release, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from glidepath.release import steps
from glidepath.release.run import Run

Action = Callable[[Run], object]


def first(run: Run) -> None:
    """Step 1."""
    steps.shift(run, 1)


def second(run: Run) -> None:
    """Step 2."""
    steps.shift(run, 2)


def over(run: Run) -> None:
    """The guard's word on the window of a release of two steps."""
    run.note("window", once="decision:3", step=3, decision="promote", reason="over", look=0)
