"""The policy's form. Unknown keys are refused; durations are `90s`, `2m`, `1h30m` or seconds."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from glidepath.policy.approval import Approval
from glidepath.policy.assets import Assets
from glidepath.policy.evidence import FIXED, EvidenceForm
from glidepath.policy.fields import ConnId, Duration, Form, Fraction, Name, Namespace, ServiceName, Wait, Zone
from glidepath.policy.freeze import Window
from glidepath.policy.gitops import GitOps
from glidepath.policy.helm import HelmForm
from glidepath.policy.messages import Messages
from glidepath.policy.metrics import ErrorsMetric, LatencyMetric, Metric, ShareMetric
from glidepath.policy.presets import counted_by
from glidepath.policy.versions import Version

# The DAG is built ahead with this many steps; those a run doesn't use are skipped.
MAX_STEPS = 6


class Connections(Form):
    """Airflow's connections. The one to Kubernetes stands for the cluster."""

    kubernetes: ConnId = "kubernetes_default"
    prometheus: ConnId = "prometheus_default"


class Step(Form):
    """A weight, and what it takes to leave it."""

    weight: Annotated[
        int, Field(ge=1, le=99, strict=True, description="Percent of the requests; stable keeps some, to compare with.")
    ]
    bake: Duration = Field(60.0, description="Minimum time at this weight.")
    min_requests: int = Field(100, ge=1, description="Minimum requests the canary must have answered at this weight.")


class NoData(Form):
    """What happens when telemetry is silent."""

    after: Duration = Field(120.0, description="How long silence is waited out.")
    action: Literal["rollback", "hold"] = "rollback"


class Held(Form):
    """What a run does when another release holds the service."""

    action: Literal["refuse", "wait"] = "refuse"
    limit: Duration = Field(3600.0, description="How long it is waited for at most; then the run is refused.")


# Doubt at the end of the observation after a promotion (harm suspected, telemetry away) makes it at most so many times as long.
OBSERVATION_FACTOR = 2


class AfterPromotion(Form):
    """How long a promotion can be taken back within seconds."""

    warm: Wait = Field(0.0, description="How long the old version's pods stay, all of them; 0: they go at once.")
    holdback: Annotated[int, Field(ge=0, le=50, strict=True)] = Field(
        0,
        description="Percent of the requests that the old version keeps for that time; 0: nothing is left to judge by.",
    )

    @model_validator(mode="after")
    def _has_time(self) -> AfterPromotion:
        if self.holdback and not self.warm:
            raise ValueError(
                f"holdback: {self.holdback} % for no time; expected `warm` to say for how long, such as 15m"
            )
        return self


# How far the share of requests that callers are to blame for may be off, by itself.
CLIENT_ERRORS_MARGIN = 0.02


def _default_metrics(values: dict[str, Any]) -> list[Metric]:
    """Errors and latency; and, where the source tells them, 4xx: a version that refuses everybody has no errors and is quick."""
    metrics: list[Metric] = [ErrorsMetric(kind="errors"), LatencyMetric(kind="latency")]
    evidence = values.get("evidence")
    theirs = counted_by(evidence.source, evidence.counts).client_errors if evidence else None
    if theirs:
        share = ShareMetric(kind="share", name="client-errors", event=theirs, margin=CLIENT_ERRORS_MARGIN, role="guard")
        metrics.append(share)
    return metrics


class Policy(Form):
    """What a release of one service may do."""

    name: Name | None = Field(None, description="The release DAG is release_<name>; empty: the service's name.")
    service: ServiceName
    namespace: Namespace
    connections: Connections = Field(default_factory=Connections)
    helm: HelmForm
    version: Version | None = Field(
        None, description="The wanted version, an image's tag or digest: what a scheduled run releases."
    )
    schedule: str | None = Field(None, description="Cron expression or Airflow preset; null: only by hand.")
    assets: Assets = Field(default_factory=Assets)
    timezone: Zone = Field("UTC", description="Whose clock the schedule goes by: an IANA name.")
    start_within: Duration = Field(
        1800.0, description="A scheduled run that begins later than this after its time ends without a release."
    )
    steps: list[Step] = Field(min_length=1, max_length=MAX_STEPS)
    evidence: EvidenceForm = Field(default_factory=EvidenceForm)
    metrics: list[Metric] = Field(default_factory=_default_metrics, min_length=1)
    decision: Literal["non-inferior", "superior"] = "non-inferior"
    on_undecided: Literal["rollback", "hold", "promote"] = "rollback"
    approval: Approval = Field(default_factory=Approval)
    on_no_data: NoData = Field(default_factory=NoData)
    on_held: Held = Field(default_factory=Held)
    on_drift: Literal["rollback", "restore"] = Field(
        "rollback",
        description="Somebody changes the weights in mid-release: take the canary back, or put the weights back.",
    )
    after_promotion: AfterPromotion = Field(default_factory=AfterPromotion)
    last_logs: int = Field(
        30,
        ge=0,
        le=200,
        description="Lines of each container's log that are kept of a canary that is taken back: in the task's log, the record "
        "and the release view. 0 keeps none: logs may hold what must not be written down.",
    )
    max_duration: Duration = Field(
        7200.0,
        description="From plan to decision, or from the first weight where a person is asked before it; then on_undecided.",
    )
    deploy_timeout: Duration = 300.0
    lease: Duration = Field(
        50.0,
        description="Unrenewed for so long, the watchdog takes the canary back; callers are off it some seconds later.",
    )
    gitops: GitOps | None = Field(
        None, description="A controller such as Argo CD or Flux owns the values: how it learns of a promotion."
    )
    messages: Messages = Field((), description="Who is told how a release goes; nothing waits for it.")
    freeze: tuple[Window, ...] = Field((), description="Times in which no release starts.")
    false_rollback: Fraction = Field(0.01, description="Chance that a version within its margins is ever rolled back.")
    wrong_promote: Fraction = Field(
        0.05, description="Chance that a version beyond a margin at the last weight is promoted."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        weights = [step.weight for step in self.steps]
        never_falling(weights)
        self._starts_of_itself()
        self._has_a_control(weights[-1])
        self._has_what_to_prove()
        if weights[-1] >= 100 - self.after_promotion.holdback:
            raise ValueError(
                f"after_promotion.holdback: {self.after_promotion.holdback} % leaves the new version "
                f"{100 - self.after_promotion.holdback} %, expected more than the last step's {weights[-1]} %"
            )
        bakes = sum(step.bake for step in self.steps)
        if bakes >= self.max_duration:
            raise ValueError(
                f"max_duration: {self.max_duration:.0f} s is not longer than the steps' bakes ({bakes:.0f} s)"
            )
        if self.helm.per_version and self.helm.release.startswith(f"{self.service}-"):
            raise ValueError(
                f"helm.release: {self.helm.release} could be that of a version of {self.service}; expected another name for the "
                f"routes, such as {self.service}"
            )
        if self.helm.chart_is_released and self.evidence.control == "fresh":
            raise ValueError(
                "evidence.control: fresh starts pods of the stable version by the policy's chart, and helm.version: released has another one "
                "for each version; expected control: stable"
            )
        if self.lease < 3 * self.evidence.scrape:
            raise ValueError(
                f"lease: {self.lease:.0f} s, expected at least three scrapes ({3 * self.evidence.scrape:.0f} s)"
            )
        return self

    def _starts_of_itself(self) -> None:
        if self.schedule and self.version is None:
            raise ValueError(
                f"schedule: {self.schedule!r} without a `version`: expected one for a scheduled run to release"
            )
        if self.assets.start and self.schedule in ("@once", "@continuous"):
            raise ValueError(
                f"assets.start: beside schedule {self.schedule!r}; expected a cron expression, a preset of times, or none"
            )

    def _has_a_control(self, last: int) -> None:
        if self.evidence.control == "fresh" and last > 50:
            raise ValueError(
                f"weights {[step.weight for step in self.steps]}: with evidence.control: fresh the baseline gets as much as the canary, so expected at "
                "most 50"
            )
        if self.evidence.control == "fresh" and self.after_promotion.holdback:
            raise ValueError(
                f"after_promotion.holdback: {self.after_promotion.holdback} % of the old version's pods are no fresh "
                "baseline to compare with; expected 0 with evidence.control: fresh"
            )

    def _has_what_to_prove(self) -> None:
        names = [metric.title for metric in self.metrics]
        if len(set(names)) != len(names):
            raise ValueError(f"metrics: {names} has one twice; expected each kind (and quantile, source, name) once")
        if not any(metric.role == "critical" for metric in self.metrics):
            raise ValueError(
                "metrics: none is critical; expected at least one, or nothing would be proven before promotion"
            )
        if self.decision == "superior" and not any(metric.can_be_faster for metric in self.metrics):
            raise ValueError("decision: superior needs a latency metric: it is what must be proven better")

    @model_validator(mode="after")
    def _latency_is_counted(self) -> Policy:
        latency = next((metric for metric in self.metrics if metric.reads_buckets or metric.reads_sums), None)
        sums = next((metric for metric in self.metrics if metric.reads_sums), None)
        if self.evidence.histograms == "native" and sums is not None:
            raise ValueError(
                f"kind: {sums.kind} is read from a classic histogram's _sum and _count, and evidence.histograms is native; expected classic, or no {sums.kind}"
            )
        if "own" in self.sources and self.evidence.source != "own":
            raise ValueError("metrics: source: own counts by evidence.counts; expected evidence.source: own")
        if (
            latency
            and self.evidence.source not in FIXED
            and not counted_by(self.evidence.source, self.evidence.counts).latency
        ):
            raise ValueError(
                f"{latency.title} asks for latency, and evidence.counts names no histogram: expected `latency: {{histogram: NAME}}`, "
                "or metrics without it"
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """All that its counts come from, that of its evidence first."""
        theirs = (metric.counted_by for metric in self.metrics)
        return tuple(dict.fromkeys([self.evidence.source, *(source for source in theirs if source is not None)]))

    @property
    def dag_id(self) -> str:
        """What the release DAG is called."""
        return dag_id(self.name or self.service)

    def located(self, root: Path) -> Policy:
        """The policy with its charts and its command as absolute paths, relative ones taken from `root`."""
        there = {"helm": self.helm.located(root), "gitops": self.gitops and self.gitops.located(root)}
        return self.model_copy(update=there)


def dag_id(name: str) -> str:
    """What the release DAG of a name is called."""
    return f"release_{name.replace('-', '_')}"


def never_falling(weights: list[int]) -> None:
    """Make sure that no weight is less than the one before; a step may keep it, to bake longer or after more requests.

    Raises:
        ValueError: One is.
    """
    if any(b < a for a, b in itertools.pairwise(weights)):
        raise ValueError(
            f"weights {weights} must not fall: each step gives the canary as much as the one before, or more"
        )
