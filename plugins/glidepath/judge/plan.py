"""What is fixed before the canary gets traffic: margins, edges, and what can be found in what time. `planning.py` fixes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from glidepath.judge.counts import ArmCounts
from glidepath.judge.expectations import Feasibility
from glidepath.judge.moods import Mood
from glidepath.judge.settings import MetricSettings, Settings


@dataclass(frozen=True)
class Question:
    """One row of a metric: an event in either arm and a margin, asked for harm and for safety.

    Attributes:
        value: What the row stands for: a margin (rates) or a ratio of quantiles (latency).
        margin: The null's margin d, a probability: p_c = p_s + d.
        edge: latency, slow: index of the edge that the canary's slow requests lie above; -1 for other rates.
        tail: latency: the stable's share above that edge, as a part of its share above its own.
        slope: latency: how the null follows the stable's share p_s: p_c = slope p_s + margin.
    """

    value: float
    margin: float
    edge: int = -1
    tail: float = 1.0
    slope: float = 1.0


@dataclass(frozen=True)
class MetricPlan:
    """One metric, frozen for a release.

    Attributes:
        settings: As the policy has it.
        base: The stable's probability of the event at plan time.
        edge: latency, slow: index of the stable's edge l; -1 for other rates.
        questions: The rows, ascending by value.
        harm: Index of the row whose proof is harm; -1 when no edge allows one.
        safety: Index of the row whose proof is safety; -1 when no edge allows one.
        limit: What the harm row stands for; safe_limit: the safety row.
        note: What limits this metric, for people; empty when nothing does.
        phi: The over-dispersion of the stable's own pods; 1 where there is none beyond chance.
        dispersion: What phi was measured on, for people.
        sides: Which sides are judged: `above`, `below` or both; one that no canary can reach is left out.
        moods: What the moods of pods may be, where there is over-dispersion; the decisive evidence is taken under them,
            and phi divides the log e-values that only intervals are read from. Without them phi divides all.
        pods: How many of the stable's pods that was seen on.
        rest: The same metric without the pods that are set apart: safety is judged by it. None where none is.
        parts: latency: the question at each edge it is asked at; harm is by all of them, safety by those that have a row
            for it. None in plans of an older code version, which ask about a pair of edges.
        weight: Of a part: how much of the evidence of harm is its own.
        knots: latency: indices of the edges that the stable's past is read at, to follow its margins.
        shares: The stable's shares slower than each of them at plan time.
        corners: Of a part: whether safety is asked along the lines to the corners too (`survival.corners`); False in plans of
            an older code version.
        bracket: What `limit` stands for at the least and at the most, whatever lies between the edges; None where exact.
    """

    settings: MetricSettings
    base: float
    edge: int
    questions: tuple[Question, ...]
    harm: int
    safety: int
    limit: float
    safe_limit: float
    note: str = ""
    phi: float = 1.0
    dispersion: str = "dispersion not measured: no counts per pod"
    sides: tuple[str, ...] = ("above",)
    moods: tuple[Mood, ...] = ()
    pods: int = 0
    rest: MetricPlan | None = None
    parts: tuple[MetricPlan, ...] = ()
    weight: float = 1.0
    knots: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    bracket: tuple[float, float | None] | None = None
    corners: bool = False

    @property
    def asked(self) -> tuple[MetricPlan, ...]:
        """What is asked by itself: its parts, or the metric."""
        return self.parts or (self,)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MetricPlan:
        """Back from `asdict`."""
        made: dict[str, Any] = {
            "questions": tuple(Question(**question) for question in values["questions"]),
            "settings": MetricSettings(**values["settings"]),
            "sides": tuple(values.get("sides", ("above",))),
            "moods": tuple(Mood.from_dict(mood) for mood in values.get("moods", ())),
            "rest": cls.from_dict(values["rest"]) if values.get("rest") else None,
            "parts": tuple(cls.from_dict(part) for part in values.get("parts", ())),
            "knots": tuple(values.get("knots", ())),
            "shares": tuple(values.get("shares", ())),
            "bracket": tuple(values["bracket"]) if values.get("bracket") else None,
        }
        return cls(**{**values, **made})


@dataclass(frozen=True)
class Outlier:
    """A pod that is set apart.

    Attributes:
        pod: Its name.
        metric: By which metric it was seen.
        share: Its share of events; others: that of all pods that are not set apart.
    """

    pod: str
    metric: str
    share: float
    others: float

    @property
    def told(self) -> str:
        """For people."""
        return (
            f"{self.metric} of pod {self.pod}: {100 * self.share:.3g} %, beside {100 * self.others:.3g} % of the others"
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Outlier:
        """Back from `asdict`."""
        return cls(**values)


@dataclass(frozen=True)
class Plan:
    """A release's judgement before it starts: nothing in here is chosen again.

    Attributes:
        edges: The latency buckets' finite edges, seconds.
        baseline: The counts it was made from, so that another policy can be planned on the same past; None in plans of
            an older code version.
        baseline_s: Over how many seconds they were counted.
        apart: The stable's pods that are set apart.
    """

    settings: Settings
    metrics: tuple[MetricPlan, ...]
    edges: tuple[float, ...]
    feasibility: Feasibility
    baseline: ArmCounts | None = None
    baseline_s: float = 0.0
    apart: tuple[Outlier, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """Back from `to_dict`."""
        metrics = tuple(MetricPlan.from_dict(metric) for metric in values["metrics"])
        edges = tuple(float(edge) for edge in values["edges"])
        feasibility = Feasibility.from_dict(values["feasibility"])
        past = values.get("baseline")
        baseline = ArmCounts.from_dict(past) if past is not None else None
        seconds = float(values.get("baseline_s", 0.0))
        apart = tuple(Outlier.from_dict(outlier) for outlier in values.get("apart", ()))
        return cls(Settings.from_dict(values["settings"]), metrics, edges, feasibility, baseline, seconds, apart)
