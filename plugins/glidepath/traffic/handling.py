"""What is done with a service's traffic and its fence together, whatever builds them."""

from __future__ import annotations

from glidepath.claim.state import Claim
from glidepath.errors import NoWeightedRouteError, TrafficDriftError
from glidepath.fence.port import Fence
from glidepath.kube import HELD, OPEN
from glidepath.traffic.port import Traffic
from glidepath.traffic.split import Routes, Split


def take(traffic: Traffic, fence: Fence, claim: Claim) -> None:
    """Stamp every object of the service with the claim's token, and make the routes ours with the value they have.

    Raises:
        ClaimLostError: The objects carry a higher token.
        SetupError: There are no routes.
    """
    traffic.mark(claim, HELD)
    fence.take(claim)


def let_go(traffic: Traffic, fence: Fence, claim: Claim) -> None:
    """Open every object of the service, so that plain helm and kubectl work again. May be repeated. Errors as `take`'s."""
    fence.open(claim)
    traffic.mark(claim, OPEN)


def leave(traffic: Traffic, claim: Claim, version: str) -> bool:
    """Give one version every weighted entry. Returns False where there is no such entry: then nothing is written.

    Raises:
        GlidepathError: As for `Traffic.write`.
    """
    try:
        traffic.write(claim, Routes(Split(version, None, 0)))
    except NoWeightedRouteError:
        return False
    return True


def all_on(traffic: Traffic, version: str) -> bool:
    """Whether every request goes to a version. Routes that can't be read as a split count as no.

    Raises:
        SetupError: There are no routes.
    """
    try:
        return traffic.read().all_on(version)
    except TrafficDriftError:
        return False
