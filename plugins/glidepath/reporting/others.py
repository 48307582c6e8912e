"""What other policies would have decided on the same evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glidepath.errors import GlidepathError
from glidepath.policy import Policy, ReleaseSpec
from glidepath.replay import decisions
from glidepath.replay.evidence import Recording
from glidepath.replay.judging import replanned, replay
from glidepath.reporting.form import Section, Table

NOTE = (
    "The judge of today on the recorded counts. Another policy's weights are the recorded ones, since their traffic is what was "
    "counted; where it would have decided later than the record ends, it is undecided."
)
# Rates that are asked about beside the policy's own.
STRICTER, LOOSER = 0.1, 5.0


def others(evidence: Recording, policies: Mapping[str, Policy]) -> Section:
    """The section.

    Args:
        evidence: The release's.
        policies: By what they are called; beside them the release's own, with other error rates.
    """
    rows = [["recorded", *_told(decisions.recorded(evidence))]]
    candidates: dict[str, Policy | None] = {"its own plan, judged again": None, **_variants(evidence), **policies}
    for name, policy in candidates.items():
        rows.append([name, *_judged(evidence, policy)])
    return Section(
        "What other policies would have decided", [NOTE], [Table(["policy", "decision", "after", "why"], rows)]
    )


def _judged(evidence: Recording, policy: Policy | None) -> list[str]:
    try:
        looks = list(replay(evidence, replanned(evidence, policy) if policy else None))
        return _told(decisions.decided(evidence, looks, policy))
    except GlidepathError as error:
        return ["can't be judged", "", str(error)]


def _told(decision: decisions.Ruling) -> list[str]:
    return [decision.word, f"{decision.after_s:.0f} s", decision.reason]


def _variants(evidence: Recording) -> dict[str, Policy]:
    """The release's policy with other error rates; none where an older code version wrote it otherwise."""
    try:
        own = ReleaseSpec.from_dict(evidence.header.spec)
    except GlidepathError:
        return {}
    return dict(_rated(own))


def _rated(own: Policy) -> Iterator[tuple[str, Policy]]:
    for factor in (STRICTER, LOOSER):
        rates = {name: min(0.5, getattr(own, name) * factor) for name in ("false_rollback", "wrong_promote")}
        title = f"error rates {100 * rates['false_rollback']:.3g} % and {100 * rates['wrong_promote']:.3g} %"
        yield title, own.model_copy(update=rates)
