"""The plan of a release: preflight, the frozen margins, what can be seen in what time. Touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from glidepath.deploy import values as chart
from glidepath.errors import EvidenceError, PreflightError, TrafficDriftError
from glidepath.evidence import baseline, pods_before, source_of
from glidepath.evidence.source import Source
from glidepath.gate import arm, arm_counts, settings_of
from glidepath.judge import Blocks, Plan, plan_judgement
from glidepath.policy import ReleaseSpec
from glidepath.policy.freeze import frozen_until
from glidepath.record import Release
from glidepath.release import handing, ownership, reach, words
from glidepath.release.measured import measured
from glidepath.release.orphans import close_orphans
from glidepath.release.phases import Phase
from glidepath.release.provable import provable, uncalled, unmatched
from glidepath.release.resolution import at_own_buckets
from glidepath.release.run import Ports, Run, Say, baseline_of
from glidepath.release.window import window
from glidepath.traffic import EVERY_VERSION, Split
from glidepath.version import code_version

# The traffic that the release will meet is that of the last minute, not of the whole baseline.
LATELY_S = 60.0
# So long before the baseline the pods of the stable are looked at as well: moods of pods may last.
OLDER_S = 9000.0


@dataclass(frozen=True)
class Present:
    """What the cluster has now: Helm's revision, the stable version, and the values that are in force."""

    revision: int
    stable: str
    values: dict[str, object]
    given: dict[str, object]


def plan(
    identity: str, spec: ReleaseSpec, ports: Ports, say: Say, now: Callable[[], float] = time.time,
    over: Callable[[str], bool] = lambda _: False,
) -> bool:  # fmt: skip
    """Plan a release and write it to the record; True when there is something to release.

    Args:
        identity: The release's identity.
        spec: What it may do, already validated.
        ports: The outside.
        say: Where facts go.
        now: The clock, epoch seconds.
        over: Whether the run of another release has ended, or is gone.

    Raises:
        ClaimHeldError: Another release holds the service.
        PreflightError: The cluster is not in a state to start from, or no version could be proven by the policy.
        EvidenceError: The stable version gives no evidence to judge against.
    """
    run = Run(identity, spec, ports, say, now)
    known = ports.record.find(identity)
    if known is not None:
        say(f"plan: release {identity} is planned already ({known.phase}); nothing is chosen anew")
        return known.phase not in (Phase.DRY_RUN, Phase.NOTHING_TO_DO) and _to_release(run)
    ports.claims.check(identity)
    close_orphans(spec, ports, over, say, now())
    present = preflight(spec, ports, say)
    if spec.version == baseline_of(present.stable):
        raise PreflightError(
            f"version {spec.version!r} is what freshly started pods of {present.stable} are called; nothing was touched. "
            "Give the version another name"
        )
    if present.stable == spec.version:
        _write(identity, spec, ports, present.stable, None, now())
        return _to_release(run)
    _thawed(spec, say, now())
    ownership.look(spec, ports, present.stable, present.given, say)
    handing.check(spec, ports, say)
    reach.check(spec, ports, present.stable, say)
    spec = measured(spec, ports, present.stable, say)
    judgement = _judgement(spec, ports, present.stable, say)
    if spec.dry_run:
        _render(spec, ports, present, say)
    _write(identity, spec, ports, present.stable, judgement, now())
    return _to_release(run)


def _to_release(run: Run) -> bool:
    """Whether what was planned is to be released; what is not is closed."""
    release = run.release
    if release.stable == release.canary:
        run.close(Phase.NOTHING_TO_DO, f"{release.canary} is the stable version of {release.service} already")
        return False
    if release.spec["dry_run"]:
        run.close(Phase.DRY_RUN, "a dry run plans and renders; nothing was touched")
        return False
    return True


def _thawed(spec: ReleaseSpec, say: Say, at: float) -> None:
    """Make sure that no freeze window holds, or that somebody said why it does not matter.

    Raises:
        PreflightError: Says until when releases are frozen, and why.
    """
    frozen = frozen_until(spec.freeze, datetime.fromtimestamp(at, UTC))
    if frozen is None or spec.dry_run:
        return
    until, why = frozen
    words = f"releases of {spec.service} are frozen until {until:%Y-%m-%d %H:%M %Z}" + (f" ({why})" if why else "")
    if spec.override_freeze is None:
        raise PreflightError(
            f'{words}; nothing was touched. Wait, or start with {{"override_freeze": "the reason"}}, which is recorded'
        )
    say(f"plan: {words}; overridden: {spec.override_freeze}")


def preflight(spec: ReleaseSpec, ports: Ports, say: Say) -> Present:
    """Make sure that a release can start, reading only.

    Raises:
        PreflightError: Names what was found, what was expected, what to do.
    """
    version = ports.helm.check()
    release = ports.helm.status()
    if release is None:
        raise PreflightError(
            f"helm release {ports.helm.release!r} is not installed in namespace {spec.namespace!r}; install the "
            f"stable version first: helm install {ports.helm.release} {ports.helm.chart} -n {spec.namespace}"
        )
    values = dict(ports.helm.effective_values())
    stable, canary = chart.roles(values)
    split = _routes(spec, ports, say)
    if split.stable != stable:
        raise PreflightError(
            f"Helm says that {stable!r} is stable, the VirtualService routes to {split.stable!r} first; "
            "make them agree (helm upgrade) before a release"
        )
    if canary is not None and split.canary_weight > 0 and spec.version != stable:
        raise PreflightError(
            f"canary {canary!r} has {split.canary_weight} % of the traffic outside any release; take it to 0 first: "
            f"helm upgrade {ports.helm.release} ... --set istio.trafficSplit.stable=100,istio.trafficSplit.canary=0"
        )
    ready = ports.workloads.readiness(stable)
    if not ready.complete:
        raise PreflightError(
            f"the stable version {stable} has {ready.ready} of {ready.wanted} replicas ready, expected all before a "
            f"release: {ready.why}"
        )
    say(f"plan: {spec.namespace}/{spec.service}: stable {stable} ({ready.ready} replicas), wanted {spec.version}")
    say(f"plan: helm {version}, release {release.name} at revision {release.revision}")
    if release.status != "deployed":
        say(
            f"plan: helm's newest revision, {release.newest}, is {release.status}: the release goes by revision "
            f"{release.revision}, the last that was deployed"
        )
    return Present(release.revision, stable, values, dict(release.values))


def _routes(spec: ReleaseSpec, ports: Ports, say: Say) -> Split:
    """The split in force, after making sure that it can be shifted and that Istio goes by it.

    Raises:
        PreflightError: Names the entry that can't be taken, or the VirtualService that wins.
    """
    try:
        state = ports.traffic.read()
    except TrafficDriftError as error:
        raise PreflightError(f"{error}; nothing was touched. Mend the VirtualService, then start a new run") from error
    if EVERY_VERSION in state.beside:
        raise PreflightError(
            f"the VirtualService of {spec.service} leads to {spec.service} without a subset beside its weights: the canary "
            "would get those requests as well. Name a subset there; nothing was touched"
        )
    others = ports.traffic.others({spec.version}, everywhere=True)
    if others.winning:
        raise PreflightError(
            f"the routes of {spec.service} are not in force, Istio goes by the older {'; '.join(others.winning)}: of several "
            "VirtualServices for a host the oldest wins. Delete one or give it other hosts; nothing was touched"
        )
    for entry in ports.traffic.left_alone():
        say(f"plan: {entry} of the VirtualService is left alone: it gets no canary")
    for name, versions in others.leading.items():
        say(f"plan: WARNING: VirtualService {name} leads its own callers to {versions}, whatever the weights are")
    return state.split


def _judgement(spec: ReleaseSpec, ports: Ports, stable: str, say: Say) -> Plan:
    source = source_of(spec, [stable, spec.version])
    now = ports.prometheus.now()
    past = baseline(ports.prometheus, source, stable, spec.evidence.baseline, now)
    seen = past.seen
    seconds = seen.end - seen.start
    counts = arm(seen, stable)
    if counts.requests == 0 or seconds <= 0:
        raise EvidenceError(
            f"the stable version {stable} had no request in the last {spec.evidence.baseline:.0f} s; without traffic "
            "nothing can be judged. Send traffic, or release with another source of evidence"
        )
    lately = baseline(ports.prometheus, source, stable, LATELY_S, now).seen
    per_second = lately.versions[stable].requests / max(lately.end - lately.start, spec.evidence.scrape)
    blocks = [{pod: arm_counts(one) for pod, one in block.items()} for block in past.blocks]
    source = replace(source, edges=seen.edges)
    older, older_s = _older(ports, source, stable, now - spec.evidence.baseline, say) if blocks else ((), past.block_s)
    judgement = plan_judgement(
        settings_of(spec), counts, seconds, seen.edges, per_second, blocks, past.block_s, older, older_s
    )
    if source.native:
        judgement = at_own_buckets(judgement)
    for line in words.blind_lines(past.blind, judgement, source.le_seconds) if source.binned else ():
        say(line)
    for line in (*words.plan_lines(judgement, counts, seconds), *words.window_lines(window(spec), stable)):
        say(line)
    for line in uncalled(ports.prometheus, source, spec.version, LATELY_S):
        say(line)
    for line in unmatched(ports.prometheus, source, counts, LATELY_S, now):
        say(line)
    provable(judgement, spec)
    return judgement


def _older(ports: Ports, source: Source, stable: str, until: float, say: Say) -> tuple[Blocks, float]:
    """What the stable's pods did before the baseline; it sharpens the judgement, so no release fails for want of it."""
    try:
        older, step = pods_before(ports.prometheus, source, stable, OLDER_S, until)
    except EvidenceError as error:
        say(f"plan: the hours before the baseline are not looked at: {error}")
        return (), LATELY_S
    return [{pod: arm_counts(one) for pod, one in block.items()} for block in older], step


def _write(identity: str, spec: ReleaseSpec, ports: Ports, stable: str, judgement: Plan | None, at: float) -> None:
    ports.record.open_release(
        Release(
            id=identity,
            service=spec.service,
            namespace=spec.namespace,
            stable=stable,
            canary=spec.version,
            spec=spec.to_dict(),
            plan=judgement.to_dict() if judgement else None,
            token=None,
            phase=Phase.PLANNED,
            outcome=None,
            reason=None,
            code_version=code_version(),
            created=at,
            closed=None,
        )
    )


def _render(spec: ReleaseSpec, ports: Ports, present: Present, say: Say) -> None:
    fresh = spec.evidence.control == "fresh"
    beside = baseline_of(present.stable) if fresh else None
    values = chart.with_canary(present.given, present.stable, spec.version, 0, 0, baseline=beside)
    count = len(ports.helm.preview(values).objects)
    say(f"dry run: would claim {spec.namespace}/{spec.service}, then helm upgrade to {count} objects")
    for step in spec.steps:
        also = f", {beside} as much," if beside else ""
        say(f"dry run: would give {spec.version} {step.weight} %{also} for at least {step.bake:.0f} s")
