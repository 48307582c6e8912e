"""The claim port: one release per service, by a Lease with a token that only grows."""

from glidepath.claim.lease import Claim, ClaimState, LeaseClaims

__all__ = ["Claim", "ClaimState", "LeaseClaims"]
