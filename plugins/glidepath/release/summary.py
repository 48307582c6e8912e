"""How a release stands as one small JSON: the annotation of its Lease, for whoever reads the cluster and not the record."""

from __future__ import annotations

import json
from typing import Any

from glidepath.errors import RecordError
from glidepath.judge import Look
from glidepath.release import words
from glidepath.release.run import Run

# The form's version: fields are added, never changed.
FORM = 1
# Characters of a reason.
MOST = 300


def summary(run: Run, look: Look | None = None) -> str:
    """The JSON; empty where the record can't be read: nothing that writes the Lease waits or fails for it.

    Args:
        run: The release.
        look: The newest look, where whoever asks has it.
    """
    try:
        return json.dumps(_told(run, look), separators=(",", ":"))
    except RecordError:
        return ""


def _told(run: Run, look: Look | None) -> dict[str, Any]:
    release, given, spoken = run.release, run.journal.weight(), run.journal.words()
    found: dict[str, Any] = {
        "form": FORM, "release": run.id, "phase": release.phase, "stable": release.stable, "canary": release.canary,
        "step": given.step if given else 0, "steps": len(run.spec.steps), "weight": given.weight if given else 0,
    }  # fmt: skip
    if spoken:
        found |= {"decision": spoken[-1].decision, "why": spoken[-1].reason[:MOST]}
    if release.outcome is not None:
        found |= {"outcome": release.outcome, "why": (release.reason or "")[:MOST]}
    if look is not None:
        metric = words.deciding(look)
        found |= {"verdict": str(look.verdict), "reason": look.reason, "at": round(look.at)}
        found["metric"] = words.finding(metric, harm=False) if metric is not None else ""
    return found
