"""The phases of a release and the one table of their transitions."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a release stands."""

    PLANNED = "planned"  # validated, margins frozen; nothing touched
    CLAIMED = "claimed"  # lease taken, objects stamped; all traffic on stable
    DEPLOYED = "deployed"  # the canary's pods are ready, weight 0
    BAKING = "baking"  # the canary has weight; the guard judges
    PROMOTING = "promoting"  # proven safe; traffic and role move to the canary
    OBSERVING = "observing"  # the canary has the traffic, stable is warm and can have it back; the guard judges
    ROLLING_BACK = "rolling_back"  # traffic is back on stable; the canary is being removed
    PROMOTED = "promoted"  # the end: the canary is the new stable
    ROLLED_BACK = "rolled_back"  # the end: all traffic on stable, no canary
    REFUSED = "refused"  # the end: planned, but the service could not be claimed; nothing was touched
    DRY_RUN = "dry_run"  # the end: planned and rendered only
    NOTHING_TO_DO = "nothing_to_do"  # the end: the wanted version is the stable one


# In these the service is the release's, and the canary has no traffic yet.
UNGIVEN = frozenset({Phase.CLAIMED, Phase.DEPLOYED})
# In these the canary has traffic, and no fate need be written yet.
WATCHED = frozenset({Phase.BAKING, Phase.PROMOTING, Phase.OBSERVING})
ENDS = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK, Phase.REFUSED, Phase.DRY_RUN, Phase.NOTHING_TO_DO})

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.PLANNED: frozenset({Phase.CLAIMED, Phase.ROLLING_BACK, Phase.REFUSED, Phase.DRY_RUN, Phase.NOTHING_TO_DO}),
    Phase.CLAIMED: frozenset({Phase.DEPLOYED, Phase.ROLLING_BACK}),
    Phase.DEPLOYED: frozenset({Phase.BAKING, Phase.ROLLING_BACK}),
    Phase.BAKING: frozenset({Phase.BAKING, Phase.PROMOTING, Phase.ROLLING_BACK}),
    Phase.PROMOTING: frozenset({Phase.OBSERVING, Phase.PROMOTED, Phase.ROLLING_BACK}),
    Phase.OBSERVING: frozenset({Phase.PROMOTED, Phase.ROLLING_BACK}),
    Phase.ROLLING_BACK: frozenset({Phase.ROLLED_BACK}),
    Phase.PROMOTED: frozenset(),
    Phase.ROLLED_BACK: frozenset(),
    Phase.REFUSED: frozenset(),
    Phase.DRY_RUN: frozenset(),
    Phase.NOTHING_TO_DO: frozenset(),
}


def origins(target: Phase) -> frozenset[str]:
    """The phases from which `target` may be reached, itself included: doing it again is no error."""
    return frozenset({str(target)} | {str(phase) for phase, targets in TRANSITIONS.items() if target in targets})


class Decision(StrEnum):
    """The guard's word on a step: what the gate branches on."""

    ADVANCE = "advance"  # a mid step: go to the next weight
    PROMOTE = "promote"  # proven safe at the last weight
    ROLLBACK = "rollback"  # harm proven, or the policy's answer to doubt
    ASK = "ask"  # the policy wants a person to answer
