"""Which recorded decisions another policy would have changed, and when it would have decided."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from glidepath.errors import EvidenceError
from glidepath.judge import Look, Verdict
from glidepath.policy import Policy
from glidepath.policy.model import OBSERVATION_FACTOR
from glidepath.replay.evidence import Recorded, Recording, read_evidence
from glidepath.replay.judging import replanned, replay

WORDS = {Verdict.PASS: "promote", Verdict.FAIL: "rollback"}


@dataclass(frozen=True)
class Ruling:
    """How a release was decided, or would have been.

    Attributes:
        word: promote, rollback, hold, or undecided when the evidence ends before anything decides.
        reason: Why, in a word, and the metric.
        after_s: Seconds from the canary's first interval.
    """

    word: str
    reason: str
    after_s: float


@dataclass(frozen=True)
class Change:
    """One recorded release: what was decided, and what would have been."""

    name: str
    release: str
    recorded: Ruling
    judged: Ruling

    @property
    def changed(self) -> bool:
        """Whether the word is another one."""
        return self.recorded.word != self.judged.word


def backtest(policy: Policy, folder: Path) -> Iterator[Change]:
    """Judge every `*.jsonl` of a folder by a policy.

    Raises:
        EvidenceError: There is none, or one is not valid.
        PolicyError: A record's weights don't fit the policy.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise EvidenceError(f"{folder}: no *.jsonl in it; expected a folder of exported evidence")
    for path in files:
        evidence = read_evidence(path)
        judged = decided(evidence, list(replay(evidence, replanned(evidence, policy))), policy)
        yield Change(path.name, evidence.header.release, recorded(evidence), judged)


def recorded(evidence: Recording) -> Ruling:
    """What the record says; where its lines keep no verdicts, what its own plan says today."""
    start = first(evidence)
    lines = [line for line in evidence.lines if isinstance(line, Recorded) and line.verdict is not None]
    if not lines:
        return decided(evidence, list(replay(evidence)), None)
    outcome = {"promoted": "promote", "rolled_back": "rollback"}.get(evidence.header.outcome or "", "undecided")
    # A promotion may still be taken back in the observation after it; then the PASS was not the last word.
    back = outcome == "rollback" or (outcome != "promote" and any(line.verdict == Verdict.FAIL for line in lines))
    for line in lines:
        if line.verdict in WORDS and (line.verdict == Verdict.FAIL or not back):
            return Ruling(WORDS[line.verdict], line.reason or "", line.end - start)
    return Ruling(outcome, evidence.header.reason or lines[-1].reason or "", lines[-1].end - start)


def decided(evidence: Recording, looks: Sequence[Look], policy: Policy | None) -> Ruling:
    """The first look that decides; else the policy's word when its time was over; else undecided.

    A promotion is taken back by harm that is proven in the observation after it, if the policy has one in which it judges.

    Args:
        evidence: For when it was planned, when the canary's first interval began, and the observation.
        looks: What the judge says of it, in order.
        policy: For its `max_duration` and `on_undecided`; None when they are not known.
    """
    start = first(evidence)
    asks_first = policy is not None and "traffic" in policy.approval.before  # then it counts from the first weight
    deadline = (start if asks_first else evidence.header.created) + policy.max_duration if policy else None
    for look in _until(looks, deadline):
        if look.verdict in WORDS:
            harm = _harm_observed(evidence, looks, policy) if look.verdict is Verdict.PASS else None
            return _said(harm, start, " in the observation after promotion") if harm else _said(look, start)
    last = looks[-1] if looks else None
    if policy is not None and deadline is not None and last is not None and last.at >= deadline:
        word = "rollback" if last.doubtful and policy.on_undecided == "promote" else policy.on_undecided
        return Ruling(word, f"undecided ({last.reason}) when max_duration was over", deadline - start)
    return Ruling("undecided", last.reason if last else "no look", last.at - start if last else 0.0)


def _said(look: Look, start: float, where: str = "") -> Ruling:
    reason = " ".join(filter(None, (look.reason, look.deciding)))
    return Ruling(WORDS[look.verdict], reason + where, look.at - start)


def _harm_observed(evidence: Recording, looks: Sequence[Look], policy: Policy | None) -> Look | None:
    """The look that proves harm while the old version is kept warm and has requests to compare with; None for none."""
    steps = evidence.header.plan.settings.steps
    weights = {step.weight for step in steps}

    def observed(line: Recorded) -> bool:
        return line.weight not in weights if line.step is None else line.step > len(steps)

    begun = next((line.start for line in evidence.lines if isinstance(line, Recorded) and observed(line)), None)
    if begun is None:
        return None
    observation = policy.after_promotion if policy else None
    until = (
        math.inf if observation is None else begun + OBSERVATION_FACTOR * observation.warm * (observation.holdback > 0)
    )
    return next((look for look in looks if begun < look.at <= until and look.verdict is Verdict.FAIL), None)


def _until(looks: Iterable[Look], end: float | None) -> Iterator[Look]:
    return (look for look in looks if end is None or look.at <= end)


def first(evidence: Recording) -> float:
    """When the canary's first interval began; without one, when the release was planned."""
    return next((line.start for line in evidence.lines if isinstance(line, Recorded)), evidence.header.created)
