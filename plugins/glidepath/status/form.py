"""What is shown of a release: frozen, JSON-safe, the same for the page, its API and the command line.

Times are epoch seconds; shares of requests are percent; effects are in their metric's unit, as `judge.MetricLook` has them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from glidepath.release.questions import Question


class State(StrEnum):
    """Where a release stands, in a word."""

    ADVANCING = "ADVANCING"  # goes its way; nothing is decided
    HOLDING = "HOLDING"  # something, or somebody, keeps it from the next weight
    WAITING = "WAITING FOR YOU"  # a person is asked
    OBSERVING = "OBSERVING"  # promoted, and the old version is still warm
    PROMOTED = "PROMOTED"
    ROLLED_BACK = "ROLLED BACK"
    REFUSED = "REFUSED"
    DRY_RUN = "DRY RUN"
    NOTHING_TO_DO = "NOTHING TO DO"


class Tone(StrEnum):
    """How it is coloured: what is undecided is calm, never bad."""

    CALM = "calm"
    WAITING = "waiting"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Banner:
    """The release in a word and a sentence."""

    state: State
    tone: Tone
    sentence: str


@dataclass(frozen=True)
class Identity:
    """Which release it is, and how far.

    Attributes:
        id: Its identity; dag_id, run_id: the same, as Airflow has it.
        step: Number of the step in force, from 1; 0 before the first.
        steps: How many its policy has.
        weights: Those of the steps, percent.
        phase: As the record has it.
        started, ended: When; `ended` is None while it runs.
        code_version: Glidepath's, when it was planned.
        policy: What it was planned by.
    """

    id: str
    dag_id: str
    run_id: str
    service: str
    namespace: str
    stable: str
    canary: str
    step: int
    steps: int
    weights: tuple[int, ...]
    phase: str
    started: float
    ended: float | None
    code_version: str
    policy: dict[str, Any]


@dataclass(frozen=True)
class Coming:
    """What happens next without anybody's doing: what, and when at the earliest; None where no time is fixed."""

    what: str
    at: float | None = None


@dataclass(frozen=True)
class Arm:
    """What one side of the comparison had of the requests.

    Attributes:
        role: `stable` or `canary`; version: what it is.
        requests, errors: Since the canary's first traffic.
        wanted, observed: Percent of both arms' requests at the weight in force; None before any.
    """

    role: str
    version: str
    requests: int
    errors: int
    wanted: float | None
    observed: float | None


@dataclass(frozen=True)
class MetricNow:
    """One metric as the newest look has it, or, of a release that was decided, the look that decided.

    Attributes:
        answer: `harmful`, `suspicious`, `comparable`, `open` or `advisory`.
        told: The same as a sentence with its numbers.
        query: The series it is counted from, to paste into Prometheus.
    """

    name: str
    role: str
    unit: str
    sides: str
    answer: str
    told: str
    stable: float | None
    canary: float | None
    effect: float | None
    low: float | None
    high: float | None
    limit: float
    safe_limit: float
    harm_e: float
    harm_threshold: float
    safety_e: float
    safety_threshold: float
    note: str
    query: str


@dataclass(frozen=True)
class LookNow:
    """The look that is shown: the one that decided, else the newest.

    Attributes:
        seq: Its number; at: the end of its interval.
        left_s: Seconds until a comparable canary is proven, as a range; None when that can't be said.
        decided: Whether it is the one that decided.
    """

    seq: int
    at: float
    verdict: str
    reason: str
    weight: int
    left_s: tuple[float, float] | None
    decided: bool


@dataclass(frozen=True)
class Moment:
    """One line of the timeline; `kind` is the record's, or `look`."""

    at: float
    kind: str
    text: str
    tone: Tone = Tone.CALM


@dataclass(frozen=True)
class Track:
    """One metric over time, a value a point of `Series`."""

    effect: list[float | None]
    low: list[float | None]
    high: list[float | None]


@dataclass(frozen=True)
class Series:
    """Looks over time, in columns, thinned to what a chart can show.

    Attributes:
        seq, at, weight: Of each look.
        stable, canary: Requests so far.
        metrics: By name.
        moments: Looks that changed something.
        after: Only looks after this number are in it.
    """

    after: int
    seq: list[int]
    at: list[float]
    weight: list[int]
    stable: list[int]
    canary: list[int]
    metrics: dict[str, Track]
    moments: list[Moment]


@dataclass(frozen=True)
class Given:
    """A weight that was given in a step: percent, when. The brake gives 0, the promotion 100."""

    step: int
    weight: int
    at: float


@dataclass(frozen=True)
class Status:
    """How a release stands.

    Attributes:
        mark: Changes whenever the record has something new of the release.
        now: When this was read.
        actions: What a person may ask of it now: `take-back`, `commit`, `hold`, `resume`, `approve`, `reject`.
        question: What Airflow asks a person, who has not answered; None for nothing.
        take_back: The command that takes it back; empty when nothing can.
        deadline: When `max_duration` is over; None once it is decided.
        pods: Of a canary that was taken back, what its pods were like last, as `deploy.last_seen.PodSeen`.
    """

    mark: str
    now: float
    banner: Banner
    identity: Identity
    coming: list[Coming]
    actions: list[str]
    question: Question | None
    look: LookNow | None
    exposure: list[Arm]
    metrics: list[MetricNow]
    weights: list[Given]
    series: Series
    timeline: list[Moment]
    take_back: str
    deadline: float | None
    pods: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """One release in the list of all."""

    id: str
    dag_id: str
    run_id: str
    service: str
    namespace: str
    stable: str
    canary: str
    state: State
    tone: Tone
    why: str
    step: int
    steps: int
    weight: int
    started: float
    ended: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return asdict(self)
