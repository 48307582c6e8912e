"""What a chart has to make of a version, for Glidepath to release it: one Deployment or StatefulSet, by name, labels, image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.deploy import values as chart
from glidepath.deploy.manifests import Object, volume_templates, workloads_named
from glidepath.deploy.mapped import Mapped
from glidepath.errors import PreflightError
from glidepath.kube import WORKLOAD_KINDS

LABELS = ("app", "version")


def fits(mapped: Mapped, values: Mapping[str, Any], version: str, rendered: Sequence[Object]) -> None:
    """Make sure that the chart makes one Deployment or StatefulSet of a version, by the name, labels and image that are asked for.

    Args:
        mapped: The service's values in its chart's own words.
        values: Those of the routes.
        version: The version.
        rendered: What the chart makes of it.

    Raises:
        PreflightError: It does not; names the path of the values, or the label.
    """
    name = mapped.workload(version)
    workload = _workload(mapped, name, rendered)
    kind = workload["kind"]
    if templates := volume_templates(workload):
        raise PreflightError(
            f"StatefulSet {name} of the chart has volumeClaimTemplates ({', '.join(templates)}): a version would begin without "
            "what is on the volumes of the one before, and leave its own behind; expected none; nothing was touched"
        )
    selects = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    own = {"app": mapped.service, "version": version}
    if other := [f"{key}={selects[key]}" for key in LABELS if selects.get(key, own[key]) != own[key]]:
        raise PreflightError(
            f"{kind} {name} of the chart selects its pods by {', '.join(other)}; expected these labels to be free, or "
            f"app={own['app']}, version={version}; nothing was touched"
        )
    if version != values["roles"].get("baseline") and not mapped.by_chart:
        _has_image(mapped, values, version, workload)


def _workload(mapped: Mapped, name: str, rendered: Sequence[Object]) -> Object:
    made = [manifest for manifest in rendered if manifest["kind"] in (*WORKLOAD_KINDS, "DaemonSet")]
    ours = workloads_named(made, name)
    if len(ours) == 1:
        return ours[0]
    these = ", ".join(f"{manifest['kind']} {manifest['metadata']['name']}" for manifest in made)
    raise PreflightError(
        f"the chart makes {these or 'no Deployment'}, expected one Deployment or StatefulSet {name}: helm.paths.name "
        f"({mapped.paths.name}) has to be what it calls it by; nothing was touched"
    )


def _has_image(mapped: Mapped, values: Mapping[str, Any], version: str, workload: Object) -> None:
    image, paths = chart.image_of(values, version), mapped.paths
    end = f"@{image.digest}" if image.digest else f":{image.tag or version}"
    containers = workload["spec"]["template"]["spec"].get("containers") or []
    images = [str(container.get("image")) for container in containers]
    if not any(name.endswith(end) for name in images):
        path = paths.digest if image.digest else paths.tag
        raise PreflightError(
            f"{workload['kind']} {workload['metadata']['name']} has the images {', '.join(images)}, expected one that ends in {end}: "
            f"the chart does not take it from {path} (helm.paths); nothing was touched"
        )
