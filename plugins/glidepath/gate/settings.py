"""What a policy asks, in the judge's words."""

from __future__ import annotations

from glidepath.judge import MetricSettings, Settings, StepSettings
from glidepath.policy import LatencyMetric, Metric, Policy, ShareMetric, metric_name


def settings_of(policy: Policy) -> Settings:
    """What a policy asks of the judge, in the judge's own words."""
    return Settings(
        metrics=tuple(_metric(one) for one in policy.metrics),
        steps=tuple(StepSettings(step.weight, step.bake, step.min_requests) for step in policy.steps),
        scrape_s=policy.evidence.scrape,
        deadline_s=policy.max_duration,
        decision=policy.decision,
        alpha=policy.false_rollback,
        beta=policy.wrong_promote,
        warmup_s=policy.evidence.warmup,
        control=policy.evidence.control,
    )


def _metric(one: Metric) -> MetricSettings:
    name = metric_name(one)
    if isinstance(one, LatencyMetric):
        return MetricSettings(name, one.kind, one.role, one.tolerance, quantile=one.quantile)
    if isinstance(one, ShareMetric):
        safety = one.safety_margin if one.safety_margin is not None else one.margin
        return MetricSettings(
            name, one.kind, one.role, one.tolerance, one.margin, safety, sides=one.sides, counted=name
        )  # fmt: skip
    counted = name if one.source is not None else ""
    return MetricSettings(name, one.kind, one.role, one.tolerance, one.harm_margin, one.safety_margin, counted=counted)
