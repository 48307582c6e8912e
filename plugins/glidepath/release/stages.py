"""The stages of a release, each known by its number, and what the routes are to say in it.

The strategy is here: a canary, whose weights never fall. Whatever asks what callers are to get asks a stage; nothing
concludes from a weight which stage it is of.
"""

from __future__ import annotations

from dataclasses import dataclass

from glidepath.release.observation import observation
from glidepath.release.run import Run
from glidepath.traffic import Routes, Split


@dataclass(frozen=True)
class Stage:
    """A part of a release's way.

    Attributes:
        number: 0 while the canary has no traffic; from 1 the policy's steps; then the observation, if the policy has one;
            last, the canary alone serves.
        routes: What callers get in it.
    """

    number: int
    routes: Routes

    @property
    def weight(self) -> int:
        """The canary's percent of the requests."""
        return self.routes.weights.canary_weight


def stages(run: Run) -> tuple[Stage, ...]:
    """The stages of a release: the one with number n is the n-th, from 0."""
    observed = observation(run.spec)
    weights = [0, *(step.weight for step in run.spec.steps), *([observed.weight] if observed else []), 100]
    return tuple(Stage(number, _routes(run, weight)) for number, weight in enumerate(weights))


def stage(run: Run, number: int) -> Stage:
    """The stage of a release with a number."""
    return stages(run)[number]


def _routes(run: Run, weight: int) -> Routes:
    """A fresh baseline gets as much as the canary."""
    return Routes(Split(run.stable, run.canary, weight, run.baseline if 0 < weight <= 50 else None))
