"""What a release needs of a fence, whatever builds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from glidepath.claim.state import Claim


@dataclass(frozen=True)
class Fenced:
    """What the objects of a service carry.

    Attributes:
        versions: The versions whose pods something runs: a Deployment, or a StatefulSet.
        held: The objects that a release holds, as `Deployment prices-v2`.
        tokens: The tokens that the objects carry; 0 for none.
        write: The highest number of an upgrade through Helm that an object carries; 0 for none.
    """

    versions: frozenset[str]
    held: frozenset[str]
    tokens: frozenset[int]
    write: int

    @property
    def newest(self) -> int:
        """The highest token that an object carries; 0 for none."""
        return max(self.tokens, default=0)


class Fence(Protocol):
    """Stamps the objects of one service with a claim's token. The cluster refuses a lower one.

    The object that carries the routes is stamped with them, by the mesh (`Traffic.mark`).
    """

    def state(self) -> Fenced:
        """What the objects carry now.

        Raises:
            ClusterError: The API did not answer.
        """

    def take(self, claim: Claim) -> None:
        """Hold everything but the routes; of what is gone there is nothing to hold.

        Raises:
            ClaimLostError: An object carries a higher token.
            ClusterError: The API did not answer.
        """

    def hold(self, claim: Claim, version: str) -> None:
        """Hold what runs a version's pods: nobody without the token can change or delete it. Errors as `take`'s."""

    def let_go(self, claim: Claim, version: str) -> None:
        """Open what runs a version's pods, so that Helm can remove it. Does nothing if it is gone. Errors as `take`'s."""

    def open(self, claim: Claim) -> None:
        """Open everything but the routes, so that plain helm and kubectl work again. May be repeated. Errors as `take`'s."""

    def free_writes(self) -> None:
        """Remove the numbers of upgrades through Helm that somebody else wrote: Helm's own would be a conflict.

        Raises:
            ClusterError: The API did not answer.
        """
