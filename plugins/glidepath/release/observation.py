"""The observation after a promotion: the old version is warm, and everything still leads back to it.

To the record and to the guard it is one more step after the last one: it has a number, a weight, and a word that the
guard gives when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from glidepath.policy import ReleaseSpec


@dataclass(frozen=True)
class Observation:
    """The observation of a release.

    Attributes:
        number: Its number as a step, one more than the last.
        weight: The new version's share, percent.
        warm_s: How long it lasts without doubt, seconds.
    """

    number: int
    weight: int
    warm_s: float

    @property
    def judged(self) -> bool:
        """Whether the old version keeps traffic to compare with."""
        return self.weight < 100


def observation(spec: ReleaseSpec) -> Observation | None:
    """The observation that the policy asks for, or None."""
    after = spec.after_promotion
    return Observation(len(spec.steps) + 1, 100 - after.holdback, after.warm) if after.warm else None
