"""The answer `restore` to drift of the routes: a step's weights, put back."""

from __future__ import annotations

from http import HTTPStatus

from glidepath.errors import ClaimLostError, ClusterError, NoWeightedRouteError, SetupError
from glidepath.kube import may_pass, refused
from glidepath.release.brake import give, way_back
from glidepath.release.run import Run, StepInForce
from glidepath.release.stages import stage
from glidepath.traffic.handling import all_on


def put_back(run: Run, step: StepInForce) -> str | None:
    """Put a step's weights back; None when it is done, or goes on.

    Args:
        run: The release.
        step: The one in force.

    Returns:
        Why it is not done, where another try would meet the same, as the end of a sentence; empty for no reason to tell.

    Raises:
        GlidepathError: Another try may do it.
    """
    routes = stage(run, step.number).routes
    try:
        if all_on(run.ports.traffic, run.stable):  # whoever put it there is never overruled
            return ""
        if give(run, routes, lambda: run.step() == step, way_back(run, routes.weights)):
            run.say(f"guard: the weights of step {step.number} are put back")
        return None
    except (ClaimLostError, ClusterError, NoWeightedRouteError, SetupError) as error:
        if isinstance(error, ClusterError) and _passes(error):
            raise
        return f"; it can't be put back: {error}"


def _passes(error: ClusterError) -> bool:
    """Whether the same write may succeed in a moment, because it was not the routes themselves that were refused."""
    status = error.status
    return may_pass(status) or status == HTTPStatus.CONFLICT or refused(status, str(error))
