"""What a release can come to at all: one that can never be proven does not start, unless its policy knows what then."""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.errors import EvidenceError, PreflightError
from glidepath.evidence import Evidence, Source
from glidepath.judge import ArmCounts, Plan
from glidepath.judge.expectations import DAY
from glidepath.policy import ReleaseSpec

# Beyond this a time counts as never, as it is told.
NEVER_S = 30 * DAY
# Values of a label that are told at most.
VALUES = 12


def provable(plan: Plan, spec: ReleaseSpec) -> None:
    """Make sure that a comparable version can be proven to be one, where nothing else would promote it.

    Raises:
        PreflightError: It can't be; says what stands in the way, and what to change.
    """
    expected = plan.feasibility.expectations[0].seconds
    if spec.on_undecided != "rollback" or (expected is not None and expected <= NEVER_S):
        return
    why = "; ".join(plan.feasibility.warnings)
    raise PreflightError(
        f"no version can be proven comparable to the stable one by this policy at {plan.feasibility.requests_per_second:.1f} "
        f"requests a second, not within a month: the canary would be taken back when max_duration is over. {why}. Change what "
        "stands in the way, make that metric a guard, or say by `on_undecided: hold` or `promote` that the release goes on "
        "without proof; nothing was touched"
    )


def uncalled(evidence: Evidence, source: Source, version: str, window_s: float) -> Iterator[str]:
    """That pods which get no traffic count requests: probes and scrapes would be judged, and no split would ever fit.

    Args:
        evidence, source: Where what is counted comes from.
        version: The one to be released, to which the routes give nothing yet.
        window_s: How far is looked back, seconds.
    """
    try:
        count, pods = evidence.requests(source, version, window_s) if source.own_pods else (0, 0)
    except EvidenceError:
        return
    if count:
        yield (
            f"plan: WARNING: {version} gets no traffic, and {pods} of its pods counted {count} requests in the last "
            f"{window_s:.0f} s. If these are probes or scrapes, leave them out by `evidence.ignore`, such as "
            "{route: [/healthz, /metrics]}: the canary's share of the requests never fits its weight with them"
        )


def unmatched(evidence: Evidence, source: Source, counts: ArmCounts, window_s: float, now: float) -> Iterator[str]:
    """Shares of which the stable version had no event: each is named, with what there was.

    Args:
        evidence, source: Where what is counted comes from.
        counts: The stable's, over the baseline.
        window_s: How far is looked back for what there was, seconds; `now`: from when, epoch seconds.
    """
    for share in source.shares:
        events, of = counts.shares.get(share.name, (0, 0))
        if events or not share.event:
            continue
        try:
            series = evidence.labels(source, share.events, window_s, now)
        except EvidenceError:
            series = []
        rules = []
        for label, pattern in share.event:
            values = sorted({labels[label] for labels in series if label in labels})
            had = ", ".join(values[:VALUES]) if values else "no series has this label"
            rules.append(f"{label}=~{pattern!r} ({had})")
        yield (
            f"plan: WARNING: {share.name}: of {of} requests none was its event, {' and '.join(rules)}: if that should not be "
            "so, correct its labels; what is never counted is always comparable"
        )
