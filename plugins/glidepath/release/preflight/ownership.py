"""Before a claim: what the release's first upgrade would change, whose fields it meets, and what it runs beside that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glidepath.deploy import Preview
from glidepath.deploy import values as chart
from glidepath.deploy.manifests import workloads_named
from glidepath.deploy.overlay import Laid, changes, overlaid, short, where
from glidepath.errors import ClusterError, PreflightError
from glidepath.kube import WORKLOAD_KINDS
from glidepath.naming import workload_name
from glidepath.policy import ReleaseSpec
from glidepath.ports import Ports
from glidepath.release.run import Say, baseline_of

REPLICAS = ("spec", "replicas")
TEMPLATE = ("spec", "template")
UPGRADES = ("pre-upgrade", "post-upgrade")
SHOWN = 5


def look(spec: ReleaseSpec, ports: Ports, stable: str, release_values: Mapping[str, Any], say: Say) -> None:
    """Make sure that the release's upgrades leave the stable version's pods as they run, and say what else they meet.

    Args:
        spec: What the release may do.
        ports: The outside.
        stable: The stable version.
        release_values: The values that Helm's release was given.
        say: Where facts go.

    Raises:
        PreflightError: The first upgrade would change the stable version's pods, which nobody would judge.
    """
    beside = baseline_of(stable) if spec.evidence.control == "fresh" else None
    token = ports.fence.state().newest
    release_values = chart.with_image(release_values, spec.version, spec.image)
    seen = ports.helm.preview(chart.with_canary(release_values, stable, spec.version, 0, token, baseline=beside))
    name = workload_name(spec.service, stable)
    for field in seen.laid:
        say(f"plan: {_owned(field, name, spec.version)}")
    values, shape = ports.helm.effective_values(), ports.workloads.shape(stable)
    ours = chart.most_replicas(values) is not None or chart.scaled_elsewhere(values)
    if shape is not None and shape.autoscaled and not ours:
        say(
            f"plan: {name} is scaled by {shape.replicas_by}, which the chart does not know of: its replicas are left to it. "
            f"{spec.version} needs one of its own; autoscaling.external in the chart's values says that it has, and "
            "autoscaling.enabled has the chart make one for each version"
        )
    for hook in seen.hooks:
        events = [event for event in hook.get("events") or () if event in UPGRADES]
        if events:
            what = f"{hook.get('kind')} {hook.get('name')} ({', '.join(events)})"
            say(
                f"plan: the chart's hook {what} runs at each upgrade of the release: at deploy, for replicas, at the end"
            )
    for text in seen.random[:SHOWN]:
        say(f"plan: {text} is rendered anew each time: each upgrade of the release changes it")
    _unchanged(ports, seen, name, say)


def _owned(field: Laid, stable: str, version: str) -> str:
    """What a field of another owner means for the release."""
    if field.taken:
        return f"{field}; the release needs it as {short(field.value)}, and takes it over"
    ours = field.kind in WORKLOAD_KINDS and field.name == stable
    if ours and field.path == REPLICAS:
        more = (
            "as many as stable is that many"
            if field.value > field.rendered
            else f"{version} gets {field.rendered} at last"
        )
        return f"{field}, Helm has {field.rendered}: it is left so; {more}"
    also = ""
    if ours and field.path[:2] == TEMPLATE:
        also = (
            f"; {version} is made of Helm's values, without it: put it there (helm upgrade), or it goes with {stable}"
        )
    return f"{field}, Helm has {short(field.rendered)}: it is left so{also}"


def _unchanged(ports: Ports, seen: Preview, name: str, say: Say) -> None:
    rendered = next(iter(workloads_named(seen.objects, name)), None)
    live = ports.helm.found(rendered) if rendered else None
    if rendered is None or live is None:
        return
    try:
        then = ports.helm.applied(overlaid(rendered, seen.laid))
    except ClusterError as error:
        if error.status not in (403, 409, 422):
            raise
        if error.status == 403:
            say(f"plan: whether the release's upgrades change {name} can't be asked: {error}")
            return
        raise PreflightError(
            f"the release's first helm upgrade would be refused for {rendered['kind']} {name}: {error}; nothing was touched. Have "
            "a plain `helm upgrade` of the release go through first"
        ) from error
    other = [f"{where(TEMPLATE)}.{path}: {short(was)} runs, {short(now)} would be" for path, was, now in changes(
        live["spec"]["template"], then["spec"]["template"])]  # fmt: skip
    if other:
        raise PreflightError(
            f"the release's first helm upgrade would change the pods of the stable version, which nobody judges: {rendered['kind']} "
            f"{name}: {'; '.join(other[:SHOWN])}{f'; and {len(other) - SHOWN} more' if len(other) > SHOWN else ''}. Nothing "
            "was touched. Helm's values or the chart differ from what runs (changed by hand, an upgrade that failed, a chart "
            "that has changed, a value that is rendered anew each time): bring them together with `helm upgrade`, then release"
        )
