"""Whether callers reach the pods of each version: by the Service's selector, and by the way the mesh leads them.

The mesh chooses among the Service's pods. So a selector or a way that names one label more leaves callers without pods, or
with those of one version only, whatever the weights are.
"""

from __future__ import annotations

from collections.abc import Mapping

from glidepath.deploy.shapes import Shape
from glidepath.errors import PreflightError
from glidepath.policy import ReleaseSpec
from glidepath.ports import Ports
from glidepath.release.run import Run, Say
from glidepath.traffic import Surroundings

Shapes = Mapping[str, Shape | None]


def pods(shapes: Shapes) -> dict[str, Mapping[str, str] | None]:
    """The labels of each version's pods; None where they are not known."""
    return {version: None if shape is None else shape.labels for version, shape in shapes.items()}


def check(spec: ReleaseSpec, ports: Ports, stable: str, say: Say) -> None:
    """Make sure that callers go by the release's routes and will reach the pods of the new version; say who else leads them.

    Raises:
        PreflightError: Names what keeps them from it.
    """
    shape, selector = ports.workloads.shape(stable), ports.workloads.selector()
    labels = dict(shape.labels) if shape is not None else {}
    to_be = {version: {**labels, "version": version} if labels else None for version in (stable, spec.version)}
    around = ports.traffic.around({spec.version}, to_be, everywhere=True)
    if around.outdone:
        raise PreflightError(
            f"the routes of {spec.service} are not in force, {around.outdone}. Delete one or give it other hosts; nothing was "
            "touched"
        )
    for version, pods_labels in to_be.items():
        if selector is not None and pods_labels is not None and not selector.has(pods_labels):
            raise PreflightError(
                f"the Service {spec.service} selects {_told(selector.labels)}, written by {selector.by}: pods of {version} are "
                f"none of its. Expected labels that all versions have; nothing was touched"
            )
    if around.misled:
        raise PreflightError(f"{around.misled}; nothing was touched")
    for remark in around.remarks:
        say(f"plan: {remark}")
    for leading in around.leading.values():
        say(f"plan: WARNING: {leading} for its own callers, whatever the weights are")


def drift(run: Run, shapes: Shapes, around: Surroundings) -> str | None:
    """What keeps callers from the pods of a version, or was changed on the way there; None for nothing.

    Args:
        run: The release.
        shapes: Of each version that may get requests, what it asks for.
        around: How callers are led to them.
    """
    if around.lost:
        return around.lost
    noted = run.journal.pods()
    before = noted.ways if noted else {}
    for version, way in around.ways.items():
        if before.get(version, way.digest) != way.digest:
            return way.told
    return _unselected(run, shapes)


def _unselected(run: Run, shapes: Shapes) -> str | None:
    selector = run.ports.workloads.selector()
    if selector is None:
        return None
    left = sorted(version for version, shape in shapes.items() if shape is not None and not selector.has(shape.labels))
    if not left:
        return None
    return f"the Service selects {_told(selector.labels)}, which pods of {', '.join(left)} are not; written by {selector.by}"


def _told(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"
