"""The window after a promotion: the old version is warm, and everything still leads back to it.

To the record and to the guard it is one more step after the last one: it has a number, a weight, and a word that the
guard gives when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from glidepath.policy import ReleaseSpec


@dataclass(frozen=True)
class Window:
    """The window of a release.

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


def window(spec: ReleaseSpec) -> Window | None:
    """The window that the policy asks for, or None."""
    asked = spec.after_promotion
    return Window(len(spec.steps) + 1, 100 - asked.holdback, asked.warm) if asked.warm else None


def way(spec: ReleaseSpec) -> list[int]:
    """The canary's weights one after the other: those of the steps, of the window, and all."""
    asked = window(spec)
    return [*(step.weight for step in spec.steps), *([asked.weight] if asked else []), 100]
