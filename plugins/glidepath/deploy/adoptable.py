"""Whether a service that runs by plain Helm can be one whose versions are each a Helm release. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glidepath.deploy.manifests import Object, volume_templates
from glidepath.deploy.mapped import Mapped
from glidepath.deploy.mesh import LEADING
from glidepath.deploy.overlay import changes, short

# What leads to a Service from outside, by its name: of each version's own there would be two for one host.
PORT = ("name", "port", "targetPort", "appProtocol")


def named(objects: Sequence[Object], kind: str, name: str) -> Object | None:
    """The object of this kind and name."""
    return next(
        (manifest for manifest in objects if (manifest["kind"], manifest["metadata"]["name"]) == (kind, name)), None
    )


def ports(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ports of a Service as the routes' chart takes them; one without a name is called http."""
    listed = []
    for stated in service["spec"].get("ports") or []:
        port = {key: stated[key] for key in PORT if key in stated}
        listed.append({"name": "http", "targetPort": stated["port"], **port})
    return listed


def serving(service: str, objects: Sequence[Object]) -> list[Object]:
    """What runs the pods that the Service has."""
    own = named(objects, "Service", service)
    selector = ((own or {}).get("spec") or {}).get("selector") or {}
    return [manifest for manifest in objects if selector and selector.items() <= _labels(manifest).items()]


def hindrances(service: str, objects: Sequence[Object]) -> Iterator[str]:
    """What keeps a service from being adopted, each a sentence.

    Args:
        service: The name that callers use.
        objects: What its Helm release has made.
    """
    own = named(objects, "Service", service)
    if own is None:
        others = (
            ", ".join(manifest["metadata"]["name"] for manifest in objects if manifest["kind"] == "Service") or "none"
        )
        yield f"its Helm release makes no Service {service}: callers have to use the service's name (Services: {others})"
    else:
        yield from _service(service, own)
        workloads = serving(service, objects)
        if len(workloads) != 1:
            these = (
                ", ".join(f"{manifest['kind']} {manifest['metadata']['name']}" for manifest in workloads) or "nothing"
            )
            yield f"the Service has pods of {these}; expected one Deployment or StatefulSet"
    for manifest in objects:
        yield from _object(manifest)


def _service(name: str, own: Object) -> Iterator[str]:
    spec = own["spec"]
    if (kind := spec.get("type") or "ClusterIP") != "ClusterIP" or spec.get("clusterIP") == "None":
        yield f"Service {name} is {'headless' if kind == 'ClusterIP' else kind}; expected ClusterIP, with a gateway before it"
    if any(port.get("protocol", "TCP") != "TCP" for port in spec.get("ports") or []):
        yield f"Service {name} has a port that is not TCP: routes lead requests only"


def _object(manifest: Object) -> Iterator[str]:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if kind in LEADING:
        yield f"{kind} {name}: each version would bring one for the same host; leave it out by the values, and keep it apart"
    if kind == "DaemonSet":
        yield f"DaemonSet {name}: it has no replicas to give a version; expected a Deployment or a StatefulSet"
    if templates := volume_templates(manifest):
        yield f"{kind} {name} has volumeClaimTemplates ({', '.join(templates)}): what is on them would stay with its version"
    if kind == "PersistentVolumeClaim":
        yield f"PersistentVolumeClaim {name}: it would go with its version, data and all"
    for volume in _pod(manifest).get("volumes") or []:
        if claim := volume.get("persistentVolumeClaim"):
            yield f"{kind} {name} mounts the volume {claim.get('claimName')}: two versions at once would write to it"


def differing(mapped: Mapped, values: Mapping[str, Any]) -> list[str]:
    """In what the policy's values are not those that run: nobody would have judged them.

    Args:
        mapped: What the policy says.
        values: The values that the Helm release was given by its users.
    """
    taken = mapped.paths.taken
    return [
        f"{path}: {short(was)} runs, the policy says {short(now)}"
        for path, was, now in changes(without(values, *taken), without(mapped.given, *taken))
    ]


def without(values: Mapping[str, Any], *paths: str) -> dict[str, Any]:
    """The values without what is at these paths; what is empty then goes with it."""
    new: dict[str, Any] = {}
    for key, value in values.items():
        if key in paths:
            continue
        below = [path.partition(".")[2] for path in paths if path.startswith(f"{key}.")]
        if below and isinstance(value, Mapping):
            if left := without(value, *below):
                new[key] = left
        else:
            new[key] = value
    return new


def images(workload: Mapping[str, Any]) -> list[str]:
    """The images of the containers of a workload's pods."""
    return [str(container.get("image")) for container in _pod(workload).get("containers") or []]


def _pod(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(((manifest.get("spec") or {}).get("template") or {}).get("spec") or {})


def _labels(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    spec = manifest.get("spec") or {}
    if not isinstance(spec, Mapping):
        return {}
    return dict(((spec.get("template") or {}).get("metadata") or {}).get("labels") or {})
