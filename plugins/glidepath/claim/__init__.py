"""The claim port: one release per service, by a Lease with a token that only grows."""

from glidepath.claim.lease import LeaseClaims
from glidepath.claim.port import Claims
from glidepath.claim.state import Claim, ClaimState

__all__ = ["Claim", "ClaimState", "Claims", "LeaseClaims"]
