"""Whether callers reach the pods of each version: by the Service's selector, and by the subsets that are in force.

A subset is a choice among the Service's pods. So a selector or a subset that names one label more leaves callers without
pods, or with those of one version only, whatever the weights are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from glidepath.deploy.shapes import Shape
from glidepath.errors import PreflightError
from glidepath.policy import ReleaseSpec
from glidepath.release.run import Ports, Run, Say
from glidepath.traffic import Subset

Shapes = Mapping[str, Shape | None]


def check(spec: ReleaseSpec, ports: Ports, stable: str, say: Say) -> None:
    """Make sure that callers will reach the pods of the new version, and say who else leads them.

    Raises:
        PreflightError: Names the selector or the subset that keeps them from it.
    """
    shape, (subsets, _) = ports.workloads.shape(stable), ports.traffic.subsets()
    labels = dict(shape.labels) if shape is not None else {}
    selector = ports.workloads.selector()
    for version in (stable, spec.version):
        pods = {**labels, "version": version} if labels else None
        if selector is not None and pods is not None and not selector.has(pods):
            raise PreflightError(
                f"the Service {spec.service} selects {_told(selector.labels)}, written by {selector.by}: pods of {version} are "
                f"none of its. Expected labels that all versions have; nothing was touched"
            )
        led = subsets.get(version)
        if led is not None and not led.leads_to(version, pods):
            raise PreflightError(
                f"subset {version} of DestinationRule {led.rule} leads to pods with {_told(led.labels)}, written by {led.by}: "
                f"pods of {version} are none. Of several rules for a host Istio goes by the oldest that has the subset. "
                "Expected version alone, or labels that the pods have; nothing was touched"
            )
    for name in ports.traffic.rules_beside():
        say(
            f"plan: WARNING: DestinationRule {name} is for {spec.service}, too: whoever goes by it alone has only its "
            "subsets, and Istio merges it into the release's otherwise"
        )


def drift(run: Run, shapes: Shapes) -> str | None:
    """What keeps callers from the pods of a version, or was changed on their way to them; None when nothing.

    Args:
        run: The release.
        shapes: Of each version that may get requests, what its Deployment asks for.
    """
    subsets, by = run.ports.traffic.subsets()
    labels = {version: shape.labels if shape is not None else None for version, shape in shapes.items()}
    lost = sorted(one for one in shapes if one not in subsets or not subsets[one].leads_to(one, labels[one]))
    if lost:
        others = (subsets[one] for one in lost if one in subsets and subsets[one].rule != run.spec.service)
        if (other := next(others, None)) is not None:
            return (
                f"subset {', '.join(lost)} of the older DestinationRule {other.rule} is in force, and leads to pods with "
                f"{_told(other.labels)}; written by {other.by}"
            )
        return f"the DestinationRule has no subset that leads to {', '.join(lost)}; written by {by}"
    noted = run.ports.record.last_event(run.id, "pods")
    ways = noted.body.get("ways", {}) if noted else {}
    for version in shapes:
        if ways.get(version, way(subsets[version])) != way(subsets[version]):
            found = subsets[version]
            return (
                f"the traffic policy by which callers are led to {version} was changed; DestinationRule {found.rule} was "
                f"written by {found.by}"
            )
    return _unselected(run, shapes)


def way(subset: Subset) -> str:
    """A digest of how callers are led to a subset."""
    return hashlib.sha256(json.dumps(subset.policy, sort_keys=True).encode()).hexdigest()[:16]


def _unselected(run: Run, shapes: Shapes) -> str | None:
    selector = run.ports.workloads.selector()
    if selector is None:
        return None
    left = sorted(version for version, one in shapes.items() if one is not None and not selector.has(one.labels))
    if not left:
        return None
    return f"the Service selects {_told(selector.labels)}, which pods of {', '.join(left)} are not; written by {selector.by}"


def _told(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"
