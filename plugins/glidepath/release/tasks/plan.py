"""The plan of a release: preflight, the frozen margins, what can be seen in what time. Touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from glidepath.deploy import values as chart
from glidepath.errors import EvidenceError, PreflightError
from glidepath.evidence import source_of
from glidepath.evidence.source import Source
from glidepath.gate import arm, arm_counts, settings_of
from glidepath.judge import Plan, Stretch, plan_judgement
from glidepath.policy import Image, ReleaseSpec
from glidepath.policy.presets import untried
from glidepath.ports import Ports
from glidepath.record import Release
from glidepath.record.retention import kept_s, packed_after_s
from glidepath.release import gitops, planned, reach
from glidepath.release.cleanup import close_orphans, forget_old, pack_ended
from glidepath.release.observation import observation
from glidepath.release.phases import Phase
from glidepath.release.preflight import ownership
from glidepath.release.preflight.measured import measured
from glidepath.release.preflight.provable import provable, uncalled, unmatched
from glidepath.release.preflight.state import Present, preflight, same_image, thawed, with_chart
from glidepath.release.run import Run, Say, baseline_of
from glidepath.version import code_version

# The traffic that the release will meet is that of the last minute, not of the whole baseline.
LATELY_S = 60.0


# So long before the baseline the pods of the stable are looked at as well: moods of pods may last.
OLDER_S = 9000.0


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
    kept_s(), packed_after_s()  # what they can't read they refuse, before anything is deleted or packed
    ports.claims.check(identity)
    close_orphans(spec, ports, over, say, now())
    forget_old(ports.record, say, now())
    pack_ended(ports.record, say, now())
    examined = examine(spec, ports, say, now())
    _write(identity, examined.spec, ports, examined.stable, examined.judgement, now())
    return _to_release(run)


@dataclass(frozen=True)
class Examined:
    """What a release would be.

    Attributes:
        spec: With the scrape interval and lag that were measured.
        stable: The stable version.
        judgement: What it would be judged by; None when the version is the stable one already.
    """

    spec: ReleaseSpec
    stable: str
    judgement: Plan | None


def examine(spec: ReleaseSpec, ports: Ports, say: Say, at: float) -> Examined:
    """Look at the cluster and at the stable's past, and fix what a release would be judged by. Reads only.

    Args:
        spec: What the release may do; `ports`: the outside, of which neither record nor claims are asked.
        say: Where facts go.
        at: Epoch seconds, for freeze windows.

    Raises:
        PreflightError: The cluster is not in a state to start from, or no version could be proven by the policy.
        EvidenceError: The stable version gives no evidence to judge against.
    """
    present = preflight(spec, ports, say)
    if spec.version == baseline_of(present.stable):
        raise PreflightError(
            f"version {spec.version!r} is what freshly started pods of {present.stable} are called; nothing was touched. "
            "Give the version another name"
        )
    if present.stable == spec.version:
        same_image(spec, present)
        return Examined(spec, present.stable, None)
    thawed(spec, say, at)
    spec = with_chart(spec, ports, say)
    if spec.image != Image():
        say(
            f"plan: {spec.image.digest or spec.image.tag} is called {spec.version} in the cluster: pods, routes, metrics"
        )
    ownership.look(spec, ports, present.stable, present.given, say)
    gitops.check(spec, ports, say)
    reach.check(spec, ports, present.stable, say)
    spec = measured(spec, ports, present.stable, say)
    judgement = _judgement(spec, ports, present.stable, say)
    if spec.dry_run:
        _render(spec, ports, present, say)
    return Examined(spec, present.stable, judgement)


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


def _judgement(spec: ReleaseSpec, ports: Ports, stable: str, say: Say) -> Plan:
    source = source_of(spec, [stable, spec.version])
    for warning in filter(None, map(untried, spec.sources)):
        say(f"plan: WARNING: {warning}")
    now = ports.evidence.now()
    past = ports.evidence.past(source, stable, spec.evidence.baseline, now)
    seen = past.seen
    seconds = seen.end - seen.start
    counts = arm(seen, stable)
    if counts.requests == 0 or seconds <= 0:
        raise EvidenceError(
            f"the stable version {stable} had no request in the last {spec.evidence.baseline:.0f} s; without traffic "
            "nothing can be judged. Send traffic, or release with another source of evidence"
        )
    lately = ports.evidence.past(source, stable, LATELY_S, now).seen
    per_second = lately.versions[stable].requests / max(lately.end - lately.start, spec.evidence.scrape)
    blocks = [{pod: arm_counts(counted) for pod, counted in block.items()} for block in past.blocks]
    source = replace(source, edges=seen.edges)
    older = _older(ports, source, stable, now - spec.evidence.baseline, say) if blocks else Stretch()
    by_pod = Stretch(blocks, past.block_s)
    judgement = plan_judgement(settings_of(spec), counts, seconds, seen.edges, per_second, by_pod, older)
    for line in planned.blind_lines(past.blind, judgement, source.le_seconds) if source.binned else ():
        say(line)
    for line in (
        *planned.plan_lines(judgement, counts, seconds),
        *planned.observation_lines(observation(spec), stable),
    ):
        say(line)
    for line in uncalled(ports.evidence, source, spec.version, LATELY_S):
        say(line)
    for line in unmatched(ports.evidence, source, counts, LATELY_S, now):
        say(line)
    provable(judgement, spec)
    return judgement


def _older(ports: Ports, source: Source, stable: str, until: float, say: Say) -> Stretch:
    """What the stable's pods did before the baseline; it sharpens the judgement, so no release fails for want of it."""
    try:
        older, step = ports.evidence.older(source, stable, OLDER_S, until)
    except EvidenceError as error:
        say(f"plan: the hours before the baseline are not looked at: {error}")
        return Stretch()
    return Stretch([{pod: arm_counts(counted) for pod, counted in block.items()} for block in older], step)


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
    before = chart.with_image(present.given, spec.version, spec.image)
    values = chart.with_canary(before, present.stable, spec.version, 0, 0, baseline=beside)
    count = len(ports.helm.preview(values).objects)
    say(f"dry run: would claim {spec.namespace}/{spec.service}, then helm upgrade to {count} objects")
    for step in spec.steps:
        also = f", {beside} as much," if beside else ""
        say(f"dry run: would give {spec.version} {step.weight} %{also} for at least {step.bake:.0f} s")
