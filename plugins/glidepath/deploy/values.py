"""The chart's values for each situation of a release. Pure: values in, values out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from glidepath.deploy import mesh
from glidepath.policy.versions import Image, name_of

# What takes the canary out of the traffic, as `helm --set` has it.
NO_CANARY = mesh.NO_CANARY


def roles(values: Mapping[str, Any]) -> tuple[str, str | None]:
    """The stable version and the canary (None when there is none), from effective values."""
    by_role = values.get("roles") or {}
    return str(by_role.get("stable", "")), (str(by_role["canary"]) if by_role.get("canary") else None)


def stable_replicas(values: Mapping[str, Any]) -> int:
    """How many replicas the stable version has, from effective values."""
    version = (values.get("versions") or {}).get(roles(values)[0]) or {}
    return int(version.get("replicas") or role_replicas(values))


def role_replicas(values: Mapping[str, Any]) -> int:
    """How many replicas a stable version has that has no count of its own, from effective values."""
    return int(values["replicas"]["stable"])


def most_replicas(values: Mapping[str, Any]) -> int | None:
    """The chart's autoscalers' maximum, from effective values; None where they are not used."""
    autoscaling = values.get("autoscaling") or {}
    return int(autoscaling["maxReplicas"]) if autoscaling.get("enabled") else None


def scaled_elsewhere(values: Mapping[str, Any]) -> bool:
    """Whether the chart leaves replicas to somebody else, from effective values."""
    autoscaling = values.get("autoscaling") or {}
    return bool(autoscaling.get("external")) and not autoscaling.get("enabled")


def least_replicas(values: Mapping[str, Any], version: str) -> int:
    """How many replicas a version that is not the stable one has at least, from effective values."""
    own = (values.get("versions") or {}).get(version) or {}
    return int(own.get("replicas") or values["replicas"]["canary"])


def with_canary(
    values: Mapping[str, Any],
    stable: str,
    canary: str | None,
    canary_weight: int,
    token: int,
    replicas: int | None = None,
    baseline: str | None = None,
) -> dict[str, Any]:
    """The user's values changed to this pair of versions and weights.

    Args:
        values: User-given values of the Helm release.
        stable: Version with the stable role.
        canary: Version with the canary role; None for no canary.
        canary_weight: Percent of traffic for the canary, as the mesh has it now.
        token: The claim's fencing token, rendered onto every object.
        replicas: Replicas for the canary, and for its baseline; None leaves the chart's own number.
        baseline: Name of freshly started pods of the stable version, which get the canary's weight too; None for none.
    """
    of_roles = {"stable": stable, "canary": canary or ""}
    shares = {"stable": 100 - canary_weight, "canary": canary_weight}
    if baseline is not None:
        of_roles["baseline"] = baseline
        shares = {"stable": 100 - 2 * canary_weight, "canary": canary_weight, "baseline": canary_weight}
    new = mesh.with_shares(values, shares)
    new["roles"] = of_roles
    new["release"] = {**(new.get("release") or {}), "token": str(token)}
    for version in (canary, baseline) if replicas is not None else ():
        if version is not None:
            new.setdefault("versions", {}).setdefault(version, {})["replicas"] = replicas
    return new


def image_of(values: Mapping[str, Any], version: str) -> Image:
    """A version's image as far as its name does not say it, from effective values."""
    own, digest = (values.get("versions") or {}).get(version) or {}, _digests(values).get(version)
    return Image(None if own.get("tag") in (None, version) else str(own["tag"]), str(digest) if digest else None)


def with_image(values: Mapping[str, Any], version: str, image: Image) -> dict[str, Any]:
    """The values with a version's image, where its name does not say it."""
    new = copy.deepcopy(dict(values))
    if image.tag is not None:
        new.setdefault("versions", {}).setdefault(version, {})["tag"] = image.tag
    if image.digest is not None:
        new.setdefault("image", {}).setdefault("digests", {})[version] = image.digest
    return new


def without_image(values: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The values without what `with_image` laid over them for a version that is gone; what users wrote stays.

    Theirs is a tag or a digest that the version's name was not made of.
    """
    new = copy.deepcopy(dict(values))
    own, digests = (new.get("versions") or {}).get(version) or {}, _digests(new)
    if own.get("tag") not in (None, version) and name_of(str(own["tag"])) == version:
        own.pop("tag")
        if not own:
            new["versions"].pop(version)
    if version in digests and name_of(str(digests[version])) == version:
        digests.pop(version)
    return new


def _digests(values: Mapping[str, Any]) -> dict[str, Any]:
    image = values.get("image")
    digests = image.get("digests") if isinstance(image, Mapping) else None
    return digests if isinstance(digests, dict) else {}


def with_replicas(values: Mapping[str, Any], version: str, replicas: int | None) -> dict[str, Any]:
    """The values with a version's own replica count; None leaves its role's."""
    if replicas is None:
        return without_replicas(values, version)
    new = copy.deepcopy(dict(values))
    new.setdefault("versions", {}).setdefault(version, {})["replicas"] = replicas
    return new


def without_replicas(values: Mapping[str, Any], *versions: str) -> dict[str, Any]:
    """The values with these versions' own replica counts taken out, so that their roles' counts apply."""
    new = copy.deepcopy(dict(values))
    known = new.get("versions") or {}
    for version in versions:
        if version in known:
            known[version].pop("replicas", None)
            if not known[version]:
                known.pop(version)
    return new
