"""What can happen in a release: a type for each kind of event in its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from glidepath.release.entry import Entry
from glidepath.release.people import Answered, Asked, Messaged, Questioned

FATE, FINISHED, WORD = "fate", "finished", "decision:{step}"


@dataclass(frozen=True)
class Claimed(Entry):
    """The service was claimed.

    Attributes:
        token: The claim's.
        lease_s: Seconds after which it expires.
        routes: The routes as they were found; None where that was not written down.
        beside: Other routes that led to the release's versions then; None as for `routes`.
    """

    kind = "claim"
    name = "claim"
    token: int
    lease_s: float
    routes: Mapping[str, Any] | None = None
    beside: Sequence[str] | None = None


@dataclass(frozen=True)
class Entered(Entry):
    """A phase began."""

    kind = "phase"
    phase: str


@dataclass(frozen=True)
class Deployed(Entry):
    """The canary's pods were ready, after so many seconds."""

    kind = "deployed"
    name = "deployed"
    seconds: float


@dataclass(frozen=True)
class Replicas(Entry):
    """How many replicas each version has at least while nobody interferes."""

    kind = "replicas"
    versions: Mapping[str, int]


@dataclass(frozen=True)
class Pods(Entry):
    """Digests of what the versions' pods are, and of how callers are led to them."""

    kind = "pods"
    versions: Mapping[str, str]
    ways: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HelmUpgrade(Entry):
    """An upgrade through Helm: announced while `revision` is None, then done."""

    kind = "helm"
    revision: int | None


@dataclass(frozen=True)
class WeightGiven(Entry):
    """The canary has the weight of a step.

    Attributes:
        step: Its number, from 1.
        weight: Percent.
        seconds: How long the write took; None where its task could not say.
        window: Whether the step is the observation after the promotion.
    """

    kind = "weight"
    name = "weight:{step}"
    step: int
    weight: int
    seconds: float | None = None
    window: bool = False


@dataclass(frozen=True)
class Watching(Entry):
    """A guard that has nothing to judge lives."""

    kind = "watching"


@dataclass(frozen=True)
class Drifted(Entry):
    """Somebody else changed what the release relies on."""

    kind = "drift"
    what: str
    step: int


@dataclass(frozen=True)
class HarmProven(Entry):
    """The first FAIL: why, by which metric, and when it was seen, epoch seconds."""

    kind = "verdict"
    name = "fail"
    reason: str
    metric: str | None
    at: float
    verdict: str = "FAIL"


@dataclass(frozen=True)
class Decided(Entry):
    """The guard's word on a step.

    Attributes:
        step: The step's number, from 1.
        decision: A `Decision`.
        reason: Why, for people.
        look: The number of the look that decided.
        proven: Of a person's question: whether the canary is proven comparable.
    """

    kind = "decision"
    name = WORD
    step: int
    decision: str
    reason: str
    look: int | None = None
    proven: bool = False


@dataclass(frozen=True)
class ObservationOver(Decided):
    """The guard's word that the observation after the promotion is over."""

    kind = "window"


@dataclass(frozen=True)
class Fate(Entry):
    """The one word that a release can't take back."""

    name = FATE
    reason: str = ""


@dataclass(frozen=True)
class TakenBack(Fate):
    """Everything leads back to stable."""

    kind = "taken_back"


@dataclass(frozen=True)
class Committed(Fate):
    """Everything leads on to the new version."""

    kind = "committed"


@dataclass(frozen=True)
class Braked(Entry):
    """All traffic was put on stable: when that was asked for, epoch seconds, how long it took, and why."""

    kind = "brake"
    name = "brake"
    at: float
    seconds: float
    reason: str


@dataclass(frozen=True)
class Silent(Entry):
    """The counts show no more requests to a version, seen after so many seconds."""

    kind = "silent"
    version: str
    waited_s: float


@dataclass(frozen=True)
class LastSeen(Entry):
    """What a version's pods were like before they were removed, as `deploy.last_seen.LastSeen`; `missing` could not be read."""

    kind = "last_seen"
    name = "last_seen:{version}"
    version: str
    pods: Sequence[Mapping[str, Any]]
    missing: str = ""


@dataclass(frozen=True)
class TaskFailed(Entry):
    """A task ended for good, and why."""

    kind = "failed"
    task: str
    why: str


@dataclass(frozen=True)
class HandedOver(Entry):
    """What whoever owns the values was told, and what came of it.

    Attributes:
        phase: `promote` or `rollback`.
        state: `asked`, `done` or `failed`.
        by: The release that told.
        why: Why it failed.
        untold: Whether nobody can have heard it.
        answer: What was answered.
    """

    kind = "handover"
    phase: str
    state: str
    by: str = ""
    why: str = ""
    untold: bool = False
    answer: str = ""


@dataclass(frozen=True)
class Resolution(Entry):
    """The versions have other latency edges: how many were planned, and those that both have, seconds."""

    kind = "resolution"
    planned: int
    common: Sequence[float]


@dataclass(frozen=True)
class Finished(Entry):
    """The service was let go."""

    kind = "finished"
    name = FINISHED
    outcome: str


@dataclass(frozen=True)
class Swept(Entry):
    """What was left after the end was removed; which version has everything since."""

    kind = "swept"
    safe: str


@dataclass(frozen=True)
class Closed(Entry):
    """The release ended."""

    kind = "closed"
    outcome: str
    reason: str


KINDS: tuple[type[Entry], ...] = (
    Claimed, Entered, Deployed, Replicas, Pods, HelmUpgrade, WeightGiven, Watching, Drifted, Asked, Questioned,
    Answered, HarmProven, Decided,
    ObservationOver, TakenBack, Committed, Braked, Silent, LastSeen, TaskFailed, HandedOver, Messaged, Resolution, Finished, Swept,
    Closed,
)  # fmt: skip
