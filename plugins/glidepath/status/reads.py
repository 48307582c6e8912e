"""Reads the record and says how releases stand. The page, its API and the command line read nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from glidepath.claim.state import TAKE_BACK
from glidepath.judge import Look, MetricLook
from glidepath.kube import GROUP
from glidepath.record import Record, reading
from glidepath.release.events import Braked, Committed, LastSeen, WeightGiven
from glidepath.release.journal import Journal
from glidepath.release.phases import Phase
from glidepath.release.run import baseline_of
from glidepath.status.banner import ENDED, banner
from glidepath.status.coming import actions, coming, deadline
from glidepath.status.facts import Facts
from glidepath.status.form import Arm, Banner, Given, Identity, LookNow, MetricNow, Row, Status
from glidepath.status.queries import queries
from glidepath.status.series import series
from glidepath.status.timeline import timeline
from glidepath.text import lines

# From here on a metric speaks for harm so much that no weight is added (`judge.SUSPICIOUS`).
SUSPECTED = 5.0


def mark(record: Record, release_id: str) -> str | None:
    """Changes whenever there is something new of a release; None for no such release. Costs a hundredth of `status`.

    Raises:
        RecordError: The record can't be read.
    """
    return reading.mark(record, release_id)


def status(record: Record, release_id: str, now: float, after: int = 0) -> Status:
    """How a release stands.

    Args:
        record: The record.
        release_id: The release's identity.
        now: Epoch seconds.
        after: Only looks after this number are in `series`: who has the others already asks for no more.

    Raises:
        NoReleaseError: The record has no such release.
        RecordError: The record can't be read.
    """
    stamp = mark(record, release_id)
    facts = _facts(record, release_id)
    new = [(seq, Look.from_dict(look)) for seq, look in reading.looks_after(record, release_id, after)]
    before = reading.last_look(record, release_id, after) if after else None
    return Status(
        mark=stamp or "",
        now=now,
        banner=banner(facts),
        identity=_identity(facts),
        coming=coming(facts),
        actions=actions(facts),
        question=facts.question,
        look=_look(facts),
        exposure=_exposure(record, facts),
        metrics=_metrics(facts),
        weights=list(_weights(facts)),
        series=series(new, after, Look.from_dict(before[1]) if before else None),
        timeline=timeline(facts.entries),
        take_back=_take_back(facts),
        deadline=deadline(facts),
        pods=_pods(facts),
    )


def listed(
    record: Record,
    limit: int = 50,
    service: str | None = None,
    may: Callable[[str], bool] = lambda _: True,
    under_way: bool = False,
) -> list[Row]:
    """The newest releases first.

    Args:
        record: The record.
        limit: At most so many.
        service: Of this service only; None: of all.
        may: Whether who asks may see the runs of a DAG.
        under_way: Only those that are not over.

    Raises:
        RecordError: The record can't be read.
    """
    rows: list[Row] = []
    if limit > 0:
        for row in _rows(record, service, may, under_way):
            rows.append(row)
            if len(rows) == limit:
                break
    return rows


def _facts(record: Record, release_id: str) -> Facts:
    release = record.get(release_id)
    entries = list(Journal(record, release_id).entries())
    newest = reading.last_look(record, release_id)
    if newest is None:
        return Facts(release, entries)
    look = Look.from_dict(newest[1])
    facts = Facts(release, entries, look, newest[0], look)
    decided = facts.decision
    # The guard goes on looking until the release is over; what decided is what is shown, until the next thing is judged.
    if decided is None or decided.look is None or decided.look >= newest[0] or release.phase == Phase.OBSERVING:
        return facts
    then = reading.last_look(record, release_id, decided.look)
    return facts if then is None else Facts(release, entries, Look.from_dict(then[1]), then[0], look)


def _identity(facts: Facts) -> Identity:
    release = facts.release
    dag_id, _, run_id = release.id.partition("/")
    return Identity(
        id=release.id, dag_id=dag_id, run_id=run_id, service=release.service, namespace=release.namespace, stable=release.stable,
        canary=release.canary, step=min(facts.step, len(facts.steps)), steps=len(facts.steps),
        weights=tuple(int(step["weight"]) for step in facts.steps), phase=release.phase, started=release.created,
        ended=release.closed, code_version=release.code_version, policy=dict(release.spec),
    )  # fmt: skip


def _weights(facts: Facts) -> Iterator[Given]:
    """The weights one after the other, with what the brake or the promotion made of them."""
    step = 0
    for entry in facts.entries:
        if isinstance(entry, WeightGiven):
            step = entry.step
            yield Given(step, entry.weight, entry.noted)
        elif isinstance(entry, Braked | Committed):
            yield Given(step, 0 if isinstance(entry, Braked) else 100, entry.noted)


def _look(facts: Facts) -> LookNow | None:
    look = facts.look
    if look is None:
        return None
    return LookNow(
        facts.seq,
        look.at,
        str(look.verdict),
        look.reason,
        look.weight,
        look.remaining_s,
        facts.decision is not None and facts.decision.look == facts.seq,
    )


def _exposure(record: Record, facts: Facts) -> list[Arm]:
    """Both arms' requests; the observed split is that of the step in force, so that an earlier weight does not blur it."""
    release, look, given = facts.release, facts.newest, facts.given
    if look is None or given is None:
        return []
    fresh = (facts.spec.get("evidence") or {}).get("control") == "fresh"
    wanted = 50.0 if fresh and given.weight <= 50 else float(given.weight)
    before = reading.last_look(record, release.id, until=given.noted)
    canary = look.canary_requests - (before[1]["canary_requests"] if before else 0)
    both = canary + look.stable_requests - (before[1]["stable_requests"] if before else 0)
    seen = 100.0 * canary / both if both else None
    failed = reading.errors(record, release.id)
    return [
        Arm("stable", baseline_of(release.stable) if fresh else release.stable, look.stable_requests, failed["stable"], 100 - wanted,
            None if seen is None else round(100 - seen, 2)),
        Arm("canary", release.canary, look.canary_requests, failed["canary"], wanted, None if seen is None else round(seen, 2)),
    ]  # fmt: skip


def _metrics(facts: Facts) -> list[MetricNow]:
    if facts.look is None:
        return []
    promql = queries(facts.release)
    return [_metric(metric, promql.get(metric.name, "")) for metric in facts.look.metrics]


def _metric(metric: MetricLook, query: str) -> MetricNow:
    return MetricNow(
        name=metric.name, role=metric.role, unit=metric.unit, sides=metric.sides, answer=_answer(metric),
        told=lines.metric_line(metric), stable=metric.estimate_stable, canary=metric.estimate_canary, effect=metric.effect,
        low=metric.low, high=metric.high, limit=metric.limit, safe_limit=metric.safe_limit, harm_e=metric.harm_e,
        harm_threshold=metric.harm_threshold, safety_e=metric.safety_e, safety_threshold=metric.safety_threshold,
        note=metric.note, query=query,
    )  # fmt: skip


def _answer(metric: MetricLook) -> str:
    if metric.role == "advisory":
        return "advisory"
    if metric.harm_e >= metric.harm_threshold:
        return "harmful"
    if metric.harm_e >= SUSPECTED:
        return "suspicious"
    return "comparable" if metric.proven_safe else "open"


def _take_back(facts: Facts) -> str:
    """The command that takes it back where Airflow's pages are not at hand; empty when nothing can."""
    if not facts.watched:
        return ""
    release = facts.release
    return f'kubectl annotate lease glidepath-{release.service} -n {release.namespace} {GROUP}/{TAKE_BACK}="why"'


def _pods(facts: Facts) -> list[dict[str, Any]]:
    seen = facts.last(LastSeen)
    return [dict(pod) for pod in seen.pods] if seen else []


def _rows(record: Record, service: str | None, may: Callable[[str], bool], under_way: bool) -> Iterator[Row]:
    def wanted(identity: str) -> bool:
        return may(identity.partition("/")[0])

    for head in reading.heads(record, WeightGiven.kind, service, wanted, under_way):
        dag_id, _, run_id = head.id.partition("/")
        stands, given = _stands(record, head), WeightGiven.of(head.last) if head.last else None
        yield Row(
            head.id, dag_id, run_id, head.service, head.namespace, head.stable, head.canary, stands.state, stands.tone,
            stands.sentence, min(given.step, head.steps) if given else 0, head.steps, given.weight if given else 0,
            head.created, head.closed,
        )  # fmt: skip


def _stands(record: Record, head: reading.Head) -> Banner:
    """Where a release of the list stands; of one that is over without its looks, of which there may be thousands."""
    if head.outcome is None:
        return banner(_facts(record, head.id))
    state, tone = ENDED[Phase(head.outcome)]
    return Banner(state, tone, head.reason or "")
