"""How a release stands as one small JSON: the annotation of its Lease, for whoever reads the cluster and not the record."""

from __future__ import annotations

import json
from typing import Any

from glidepath.errors import RecordError
from glidepath.judge import MetricLook
from glidepath.release.looks import Looks
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.text import lines

# The form's version: fields are added, never changed.
FORM = 1
# Characters of a reason, and digits of a number.
MOST, DIGITS = 300, 5
NUMBERS = (
    "effect", "low", "high", "limit", "safe_limit", "harm_e", "harm_threshold", "safety_e", "safety_threshold",
)  # fmt: skip


def summary(run: Run, looks: Looks | None = None, took_s: float = 0.0) -> str:
    """The JSON; empty where the record can't be read: nothing that writes the Lease waits or fails for it.

    Args:
        run: The release.
        looks: Its looks, where whoever asks has them.
        took_s: How long the last of them took, seconds.
    """
    try:
        fields = _told(run) | (_seen(looks, took_s) if looks is not None else {})
        return json.dumps(fields, separators=(",", ":"), allow_nan=False)
    except (RecordError, ValueError):
        return ""


def _told(run: Run) -> dict[str, Any]:
    release, journal = run.release, run.journal
    weights, spoken, brake = journal.weights(), journal.words(), journal.brake()
    weight = weights[-1].weight if weights else 0
    if brake is not None or release.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
        weight = 0
    elif release.phase == Phase.PROMOTED:
        weight = 100
    fields: dict[str, Any] = {
        "form": FORM, "release": run.id, "phase": release.phase, "stable": release.stable, "canary": release.canary,
        "step": weights[-1].step if weights else 0, "steps": len(run.spec.steps), "weight": weight,
        "started": round(release.created), "deadline": round(run.deadline()),
    }  # fmt: skip
    if spoken:
        fields |= {"decision": spoken[-1].decision, "why": spoken[-1].reason[:MOST]}
        fields["decided_s"] = round(spoken[-1].noted - weights[0].noted, 1) if weights else 0.0
    if brake is not None:
        fields["brake_s"] = round(brake.seconds, 2)
    if release.outcome is not None:
        fields |= {"outcome": release.outcome, "why": (release.reason or "")[:MOST]}
    return fields


def _seen(looks: Looks, took_s: float) -> dict[str, Any]:
    look = looks.newest
    fields: dict[str, Any] = {"looks": looks.seq, "failures": looks.failures, "look_s": round(took_s, 3)}
    fields["blind_since"] = round(looks.no_data_since) if looks.no_data_since is not None else None
    if look is None:
        return fields
    metric = lines.deciding(look)
    fields |= {"verdict": str(look.verdict), "reason": look.reason, "at": round(look.at)}
    fields["metric"] = lines.finding(metric, harm=False) if metric is not None else ""
    fields["metrics"] = {metric.name: _numbers(metric) for metric in look.metrics}
    return fields


def _numbers(metric: MetricLook) -> dict[str, float]:
    """What is known of a metric; shares and ratios, as the judge has them."""
    known = {name: getattr(metric, name) for name in NUMBERS}
    return {name: float(f"{value:.{DIGITS}g}") for name, value in known.items() if value is not None}
