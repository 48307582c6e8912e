"""What a release needs of the claims on its service; errors are those of `LeaseClaims`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from glidepath.claim.state import Claim, ClaimState, PersonsWord

Still = Callable[[ClaimState | None], None]


class Claims(Protocol):
    """The sole right to change one service: it is taken with a token, renewed, and given back."""

    def read(self) -> ClaimState | None:
        """Who has it; None before the first claim."""

    def check(self, holder: str) -> None:
        """Make sure that nobody but `holder` has it, taking nothing."""

    def acquire(
        self,
        wanted: Claim,
        run_url: str = "",
        after: Collection[str] = (),
        still: Still = lambda _: None,
        routes: str = "",
    ) -> Claim:
        """Take it; the holder's own claim is given back as it is, renewed."""

    def renew(self, claim: Claim, status: str = "") -> None:
        """Say that the holder lives, and how it stands; an empty status leaves what is there."""

    def raise_above(self, claim: Claim, token: int) -> Claim:
        """Go on with a token above this one."""

    def asked(self, claim: Claim) -> PersonsWord | None:
        """What a person asks of the holder; None for nothing."""

    def answered(self, claim: Claim, word: PersonsWord) -> None:
        """Take a person's word off, because the record has it."""

    def mark_safe(self, claim: Claim, stable: str) -> None:
        """Say which version is safe from now on."""

    def end(self, claim: Claim, outcome: str, status: str = "") -> None:
        """Give it back, with a mark of how it ended; `status` as for `renew`."""

    def lost(self, claim: Claim) -> str | None:
        """What became of a claim; None while it is held."""
