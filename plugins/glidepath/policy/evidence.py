"""Where a release's counts come from, as a policy says it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glidepath.policy.counted import COMPLETE, Counted
from glidepath.policy.fields import Duration, Form, Origin, Wait
from glidepath.policy.labels import Labels
from glidepath.policy.presets import counted_by

# Sources whose names are their own.
FIXED = ("app", "mesh")


class EvidenceForm(Form):
    """Where the counts come from."""

    source: Origin = Field(
        "istio",
        description="A preset, such as istio or otel-http; own: what `counts` says; app: the example's own metrics; mesh: as "
        "istio, latency of errors too.",
    )
    counts: Counted | None = Field(None, description="What is counted, where that is not as the source has it.")
    histograms: Literal["classic", "native"] = Field(
        "classic",
        description="How Prometheus has latency: as classic buckets (`_bucket` series), or as native histograms.",
    )
    control: Literal["stable", "fresh"] = Field(
        "stable",
        description="What the canary is compared with: the stable version's pods, or freshly started ones of the same "
        "version that get as much traffic as the canary.",
    )
    scrape: Duration = Field(5.0, description="Prometheus' scrape interval for these metrics; `plan` measures it.")
    lag: Wait = Field(0.0, description="How much later than taken a sample can be read; `plan` measures it.")
    baseline: Duration = Field(1800.0, description="How much of the stable's past the margins are fixed from.")
    warmup: Wait = Field(0.0, description="First traffic of the canary that is left out.")
    ignore: Labels = Field(
        default_factory=dict,
        description="Labels of requests that are nobody's, such as probes: {route: [/healthz, /metrics]}; `=~/int.+`.",
    )

    @model_validator(mode="after")
    def _is_counted(self) -> EvidenceForm:
        counted = counted_by(self.source, self.counts)
        # No label of errors is not none: it would be all requests.
        missing = [name for name in COMPLETE if not getattr(counted, name)]
        if self.source not in FIXED and missing:
            raise ValueError(
                f"source: {self.source} without counts.{', counts.'.join(missing)}: expected a counter of requests, the labels of those that "
                "are errors, and where the version is"
            )
        if self.source in FIXED and self.counts is not None:
            raise ValueError(f"counts: source: {self.source} has its own names; expected source: own with them")
        if self.histograms == "native" and str(counted.requests).endswith("_count"):
            raise ValueError(
                f"histograms: native, and requests are counted by {counted.requests}, which only classic histograms have; expected a "
                "counter beside the histogram, by counts.requests, or classic"
            )
        return self

    def frozen(self) -> EvidenceForm:
        """The same with everything its preset counts written out, so that a change of the preset does not touch a release under way."""
        if self.source in FIXED:
            return self
        return self.model_copy(update={"counts": counted_by(self.source, self.counts)})
