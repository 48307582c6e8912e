"""What Glidepath owns of an object by server-side apply.

An apply gives up what it does not repeat, and what nobody else owns is then removed. Beside the routes that is what a
brake had to put back: hosts and gateways, or the whole object.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from glidepath.kube import FIELD_MANAGER, HELM, STATE, TOKEN, WRITE

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Carried:
    """What a write has to repeat, lest it be removed."""

    labels: dict[str, str]
    annotations: dict[str, str]
    spec: dict[str, Any]


def owns(live: Found, field: str) -> bool:
    """Whether Glidepath owns a field of the spec: Helm's apply of another value is then a conflict."""
    return _field(_ours(live), "f:spec", f"f:{field}") is not None


def unshared(live: Found, field: str) -> bool:
    """Whether nobody beside Glidepath owns a field of the spec: given up, it would be gone."""
    return not any(_field(fields, "f:spec", f"f:{field}") is not None for fields in _theirs(live))


def numbered_by_others(live: Found) -> bool:
    """Whether somebody beside Helm owns the number of the last upgrade, so that Helm can't write the next one."""
    others = [entry for entry in _managed(live) if entry.get("manager") != HELM]
    return any(
        _field(entry.get("fieldsV1") or {}, "f:metadata", "f:annotations", f"f:{WRITE}") is not None for entry in others
    )


def carried(live: Found, giving_up: bool, fields: Collection[str] = ()) -> Carried:
    """What to repeat in the next apply.

    Args:
        live: The object as it was read.
        giving_up: Whether what others own as well is left to them.
        fields: Those of the spec that not every write says anew.
    """
    metadata, spec = live["metadata"], live.get("spec") or {}

    def kept(values: Mapping[str, Any], *path: str) -> dict[str, Any]:
        ours = _field(_ours(live), *path) or {}
        others = [_field(owned, *path) or {} for owned in _theirs(live)] if giving_up else []
        return {
            key: value for key, value in values.items()
            if f"f:{key}" in ours and not any(f"f:{key}" in owned for owned in others)
        }  # fmt: skip

    annotations = kept(metadata.get("annotations") or {}, "f:metadata", "f:annotations")
    return Carried(
        labels=kept(metadata.get("labels") or {}, "f:metadata", "f:labels"),
        annotations={key: value for key, value in annotations.items() if key not in (TOKEN, STATE, WRITE)},
        spec={key: value for key, value in kept(spec, "f:spec").items() if key in fields},
    )


def _ours(live: Found) -> Mapping[str, Any]:
    applied = [
        entry for entry in _managed(live) if (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply")
    ]
    return (applied[0].get("fieldsV1") or {}) if applied else {}


def _theirs(live: Found) -> list[Mapping[str, Any]]:
    return [entry.get("fieldsV1") or {} for entry in _managed(live) if entry.get("manager") != FIELD_MANAGER]


def _managed(live: Found) -> list[Mapping[str, Any]]:
    return live["metadata"].get("managedFields") or []


def _field(fields: Mapping[str, Any], *path: str) -> Mapping[str, Any] | None:
    """What is owned below a path, in the form of `fieldsV1`; None when it is not owned."""
    below: Any = fields
    for part in path:
        if not isinstance(below, Mapping) or part not in below:
            return None
        below = below[part]
    return below if isinstance(below, Mapping) else {}
