"""What a policy asks, in the judge's words."""

from __future__ import annotations

from glidepath.judge import MetricSettings, Settings, StepSettings
from glidepath.policy import Policy


def settings_of(policy: Policy) -> Settings:
    """What a policy asks of the judge, in the judge's own words."""
    return Settings(
        metrics=tuple(MetricSettings(**metric.judged()) for metric in policy.metrics),
        steps=tuple(StepSettings(step.weight, step.bake, step.min_requests) for step in policy.steps),
        scrape_s=policy.evidence.scrape,
        deadline_s=policy.max_duration,
        decision=policy.decision,
        alpha=policy.false_rollback,
        beta=policy.wrong_promote,
        warmup_s=policy.evidence.warmup,
        control=policy.evidence.control,
    )
