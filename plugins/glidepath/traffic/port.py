"""What a release needs of a mesh, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from glidepath.claim.state import Claim
from glidepath.traffic.routing import Routing
from glidepath.traffic.split import Routes, TrafficState
from glidepath.traffic.way_back import WayBack

Still = Callable[[], bool]
# The labels of a version's pods; None where they are not known.
Pods = Mapping[str, Mapping[str, str] | None]


@dataclass(frozen=True)
class Way:
    """How callers are led to a version.

    Attributes:
        digest: Changes with everything that matters of it.
        told: That it was changed, and by whom, for people.
    """

    digest: str
    told: str


@dataclass(frozen=True)
class Surroundings:
    """What meets a service's routes, in the mesh's own words, for people.

    Attributes:
        outdone: That the mesh goes by other routes than the service's; None when it goes by them.
        misled: That callers who are led to a version get other pods; None when they don't.
        lost: That there is no way to a version, or a wrong one; None when each has its own.
        ways: How callers are led to each version that has a way.
        leading: Other routes that lead to fresh versions whatever the weights are: their names, and that they do.
        remarks: What else a person should know before a release.
    """

    outdone: str | None = None
    misled: str | None = None
    lost: str | None = None
    ways: Mapping[str, Way] = field(default_factory=dict)
    leading: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


class Traffic(Protocol):
    """The routes of one service, to be read and, under a claim, to be written.

    Each write is bound to what was read, and the cluster refuses it with a token lower than the object's.
    """

    @property
    def reference(self) -> Mapping[str, str]:
        """The object that carries the routes: apiVersion, kind, namespace, name."""

    def read(self, before: Routing | None = None, versions: Collection[str] = ()) -> TrafficState:
        """The routes as the API has them.

        Args:
            before: As they were; `TrafficState.since` then says what was changed.
            versions: The versions that nothing but weights may have come to lead to since.

        Raises:
            NoRoutesError: There are none.
            TrafficDriftError: They are no split of two versions.
        """

    def write(
        self, claim: Claim, routes: Routes, still: Still = lambda: True, way: WayBack | None = None
    ) -> TrafficState:
        """Write routes and read them back. Writes nothing if they are in force, with the claim's token, and owned.

        Args:
            claim: The claim whose token the write carries.
            routes: The routes.
            still: Whether they are still wanted; asked between each read and the write that is bound to what was read.
            way: Puts back as well what else leads to its versions; None leaves that alone.

        Raises:
            ClaimLostError: The object carries a higher token: somebody else holds the service; or no claim ever held it.
            NoWeightedRouteError: No entry can take weights; nothing was written.
            NoRoutesError: There are no routes.
            StaleWriteError: `still` said no; nothing was written.
            TrafficDriftError: What is read back is not what was written.
            UnsupportedRoutesError: This mesh can't be told such routes; nothing was written.
        """

    def stop(self, claim: Claim, way: WayBack, still: Still = lambda: True, mine: bool = False) -> bool:
        """Get versions out of the traffic, whatever the routes say by now, and read that back.

        What the cluster refuses as invalid is tried in a plainer form; routes that are gone are made anew.

        Args:
            claim: The claim whose token the write carries.
            way: Where to.
            still: As for `write`.
            mine: Whether the Lease was just seen to be the claim's: then an object that it never took is written too.

        Returns:
            Whether anything had to be written.

        Raises:
            ClaimLostError: The object carries a higher token, or is none that this claim ever took.
            NoRoutesError: There are no routes, and nobody knows what they said.
            StaleWriteError: `still` said no; nothing was written.
            TrafficDriftError: What is read back is not what was written.
        """

    def mark(self, claim: Claim, state: str) -> None:
        """Stamp the object that carries the routes, HELD or OPEN.

        Held, the routes are ours: Helm's own apply of others is a conflict. Open, they are given up; those that nobody else
        owns stay ours, for given up they would be gone.

        Raises:
            ClaimLostError: It carries a higher token.
            NoRoutesError: There are no routes.
        """

    def around(self, fresh: Collection[str], pods: Pods | None = None, everywhere: bool = False) -> Surroundings:
        """What meets the routes, and how callers are led to versions.

        Args:
            fresh: The versions that nobody else may lead to.
            pods: The versions that callers are led to, and the labels of their pods; None for none.
            everywhere: Look into other namespaces, too, if the API lets us; the chart's own roles don't.

        Raises:
            ClusterError: The API did not answer.
        """
