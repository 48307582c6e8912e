"""What the record's events say of a release: a function a question."""

from __future__ import annotations

from glidepath.release.brake import TAKEN_BACK, fate
from glidepath.release.phases import Decision
from glidepath.release.run import Run


def decision(run: Run, number: int) -> tuple[Decision, str] | None:
    """The guard's word on a step and why, or None while there is none."""
    now = fate(run.ports.record, run.id)
    if now is not None and now[0] == TAKEN_BACK:
        return Decision.ROLLBACK, now[1]
    word = run.ports.record.once(run.id, f"decision:{number}")
    if word is None:
        return None
    return Decision(word.body["decision"]), str(word.body["reason"])
