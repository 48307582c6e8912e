"""What a chart has to make of a version, for Glidepath to release it: one Deployment, by name, labels and image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.deploy import values as chart
from glidepath.deploy.manifests import Object
from glidepath.deploy.mapped import Mapped
from glidepath.errors import PreflightError

LABELS = ("app", "version")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def fits(mapped: Mapped, values: Mapping[str, Any], version: str, rendered: Sequence[Object]) -> None:
    """Make sure that the chart makes one Deployment of a version, by the name, labels and image that are asked for.

    Args:
        mapped: The service's values in its chart's own words.
        values: Those of the routes.
        version: The version.
        rendered: What the chart makes of it.

    Raises:
        PreflightError: It does not; names the path of the values, or the label.
    """
    name = mapped.workload(version)
    deployment = _deployment(mapped, name, rendered)
    selects = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
    own = {"app": mapped.service, "version": version}
    if other := [f"{key}={selects[key]}" for key in LABELS if selects.get(key, own[key]) != own[key]]:
        raise PreflightError(
            f"Deployment {name} of the chart selects its pods by {', '.join(other)}; expected these labels to be free, or "
            f"app={own['app']}, version={version}; nothing was touched"
        )
    if version != values["roles"].get("baseline") and not mapped.by_chart:
        _has_image(mapped, values, version, deployment)


def _deployment(mapped: Mapped, name: str, rendered: Sequence[Object]) -> Object:
    workloads = [manifest for manifest in rendered if manifest["kind"] in WORKLOADS]
    for manifest in workloads:
        if (manifest["kind"], manifest["metadata"]["name"]) == ("Deployment", name):
            return manifest
    others = (
        ", ".join(f"{manifest['kind']} {manifest['metadata']['name']}" for manifest in workloads) or "no Deployment"
    )
    raise PreflightError(
        f"the chart makes {others}, expected Deployment {name}: helm.paths.name ({mapped.paths.name}) has to be what it calls "
        "its Deployment by; nothing was touched"
    )


def _has_image(mapped: Mapped, values: Mapping[str, Any], version: str, deployment: Object) -> None:
    image, paths = chart.image_of(values, version), mapped.paths
    end = f"@{image.digest}" if image.digest else f":{image.tag or version}"
    containers = deployment["spec"]["template"]["spec"].get("containers") or []
    images = [str(container.get("image")) for container in containers]
    if not any(name.endswith(end) for name in images):
        path = paths.digest if image.digest else paths.tag
        raise PreflightError(
            f"Deployment {deployment['metadata']['name']} has the images {', '.join(images)}, expected one that ends in {end}: "
            f"the chart does not take it from {path} (helm.paths); nothing was touched"
        )
