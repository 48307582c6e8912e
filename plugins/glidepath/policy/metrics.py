"""The forms of metrics, one a kind; `judge/metrics` says what each kind does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union

from pydantic import Field, model_validator

from glidepath.policy.fields import Duration, Form, Fraction, Name, Origin
from glidepath.policy.labels import Identifier, Labels

Role = Literal["critical", "guard", "advisory"]
Judged = dict[str, Any]


class MetricForm(Form):
    """What all metrics have, and what policy and evidence ask of each.

    Attributes:
        reads_buckets: Whether it reads the latency's buckets.
        reads_sums: Whether it reads sum and count of the latency's histogram, which native histograms have not as series.
    """

    reads_buckets: ClassVar[bool] = False
    reads_sums: ClassVar[bool] = False

    kind: str
    role: Role = "critical"

    @property
    def can_be_faster(self) -> bool:
        """Whether it can be proven by it that a version is faster."""
        return False

    @property
    def counted_by(self) -> str | None:
        """The source that counts it, where that is another one than the evidence's."""
        return None

    def tolerating(self, tolerance: float) -> MetricForm:  # noqa: ARG002 - a quantile takes it
        """The same with a run's tolerance of latency."""
        return self

    @property
    def title(self) -> str:
        """The metric's name as people see it; each is there once in a policy."""
        raise NotImplementedError

    def judged(self) -> Judged:
        """What the judge is told of it, by the names of its settings."""
        return {"name": self.title, "kind": self.kind, "role": self.role}


class ErrorsMetric(MetricForm):
    """The share of requests that are errors. Margins are points as a share (0.002 is 0.2 percentage points)."""

    kind: Literal["errors"]
    tolerance: float = Field(0.10, ge=0, le=10, description="Of the stable's error share; widens both margins.")
    harm_margin: float = Field(0.0005, ge=0, lt=1, description="Beyond this, proven, the canary goes back.")
    safety_margin: float = Field(0.002, gt=0, lt=1, description="Within this, proven, the canary counts as comparable.")
    source: Origin | None = Field(
        None, description="Who counts the errors: app or mesh (what the callers saw); as `evidence.source` if empty."
    )

    @property
    def title(self) -> str:
        """`errors`, or `errors_mesh` where it says who counts."""
        return f"errors_{self.source}" if self.source else "errors"

    @property
    def counted_by(self) -> str | None:
        """Its own source."""
        return self.source

    def judged(self) -> Judged:
        """Both margins."""
        margins = {"tolerance": self.tolerance, "harm_margin": self.harm_margin, "safety_margin": self.safety_margin}
        return {**super().judged(), **margins, "counted": self.title if self.source is not None else ""}


class ShareMetric(MetricForm):
    """Any other share of requests, such as that of messages called spam; it may be off on either side.

    Without `counter` it is counted in the source's own request counter, among the successful requests.
    """

    kind: Literal["share"]
    name: Name
    event: Labels = Field(
        default_factory=dict,
        description="Labels, and their value or values, of the requests that are the event; `=~5..` is a pattern.",
    )
    among: Labels = Field(default_factory=dict, description="Labels of the requests it is a share of; empty: of all.")
    counter: Identifier | None = Field(None, description="Another counter of requests, by version.")
    event_counter: Identifier | None = Field(None, description="Another counter of events, instead of `event`.")
    source: Origin | None = Field(None, description="Who counts: app or mesh; as `evidence.source` if empty.")
    sides: Literal["above", "below", "both"] = Field("both", description="Where harm lies: more, fewer, or either.")
    tolerance: float = Field(0.0, ge=0, le=10, description="Of the stable's share; widens both margins.")
    margin: float = Field(gt=0, lt=1, description="Beyond this, proven, the canary goes back.")
    safety_margin: float | None = Field(
        None, gt=0, lt=1, description="Within this, proven, it counts as comparable; as `margin` if empty."
    )

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    @property
    def counted_by(self) -> str | None:
        """Its own source."""
        return self.source

    def judged(self) -> Judged:
        """Both margins and the sides; counted by its name."""
        safety = self.safety_margin if self.safety_margin is not None else self.margin
        margins = {"tolerance": self.tolerance, "harm_margin": self.margin, "safety_margin": safety}
        return {**super().judged(), **margins, "sides": self.sides, "counted": self.title}

    @model_validator(mode="after")
    def _counted(self) -> ShareMetric:
        if bool(self.event) == bool(self.event_counter):
            raise ValueError(
                "expected either `event`, such as {result: spam}, or `event_counter`, such as cache_misses_total: what is "
                "counted as the event"
            )
        if self.event_counter and not self.counter:
            raise ValueError("event_counter needs `counter`: what its events are a share of")
        return self


class LatencyMetric(MetricForm):
    """A quantile of the latency of successful requests; or, with a threshold, the share of those that are slower."""

    reads_buckets = True

    kind: Literal["latency"]
    quantile: Fraction = 0.95
    tolerance: float = Field(1.10, gt=1, le=3, description="1.10 lets the canary's quantile be 10 % above stable's.")
    threshold: Duration | None = Field(
        None, description="An edge of the buckets, such as 300ms: the share of slower requests is judged, no quantile."
    )
    margin: float | None = Field(
        None, gt=0, lt=1, description="With a threshold: beyond this, proven, the canary goes back."
    )
    safety_margin: float | None = Field(
        None, gt=0, lt=1, description="Within this, proven, it counts as comparable; as `margin` if empty."
    )

    @property
    def title(self) -> str:
        """Such as `latency_p95`, or `slow_300ms`."""
        return f"latency_p{100 * self.quantile:g}" if self.threshold is None else f"slow_{1000 * self.threshold:g}ms"

    @property
    def can_be_faster(self) -> bool:
        """A quantile's latency can."""
        return self.threshold is None

    def tolerating(self, tolerance: float) -> LatencyMetric:
        """A quantile with this tolerance; a threshold has margins instead."""
        return self.model_copy(update={"tolerance": tolerance}) if self.threshold is None else self

    def judged(self) -> Judged:
        """The quantile, or the threshold with both margins."""
        if self.threshold is None:
            return {**super().judged(), "tolerance": self.tolerance, "quantile": self.quantile}
        safety = self.safety_margin if self.safety_margin is not None else self.margin
        margins = {"harm_margin": self.margin, "safety_margin": safety}
        return {**super().judged(), **margins, "kind": "slow", "tolerance": 0.0, "threshold": self.threshold}

    @model_validator(mode="after")
    def _one_question(self) -> LatencyMetric:
        if (self.threshold is None) != (self.margin is None) or (self.threshold is None and self.safety_margin):
            raise ValueError(
                "expected `threshold` and `margin` together, such as {threshold: 300ms, margin: 0.01}; a quantile has a "
                "`tolerance` instead"
            )
        fields = type(self).model_fields
        if self.threshold is not None and (self.quantile, self.tolerance) != (
            fields["quantile"].default,
            fields["tolerance"].default,
        ):
            raise ValueError(
                "expected either `threshold` with `margin`, or `quantile` with `tolerance`: ask for both in two metrics"
            )
        return self


class MeanMetric(MetricForm):
    """The mean latency of successful requests, out of the histogram's sum and count: told, and never decided by."""

    reads_sums = True

    kind: Literal["mean"]
    role: Literal["advisory"] = Field("advisory", description="A mean has no bound, so nothing can be proven of it.")

    @property
    def title(self) -> str:
        """Its name."""
        return "latency_mean"

    def judged(self) -> Judged:
        """Counted by its name, beside no limit."""
        return {**super().judged(), "tolerance": 1.0, "counted": self.title}


FORMS = (ErrorsMetric, ShareMetric, LatencyMetric, MeanMetric)
if TYPE_CHECKING:
    Metric = MetricForm
else:
    Metric = Annotated[Union[FORMS], Field(discriminator="kind")]  # noqa: UP007
