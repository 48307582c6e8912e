"""Who wrote a field of an object, as its `managedFields` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.kube.names import FIELD_MANAGER, HELM

# As after a scale to 0: a field of that value has no owner.
UNKNOWN = "a client whose name the API does not keep; its audit log does"


def editor(managed: Sequence[Mapping[str, Any]], *path: str) -> str:
    """Who wrote a field last and when, as `managedFields` has it: the client's name, such as kubectl-edit or helm.

    Args:
        managed: The object's `managedFields`.
        path: Where the field is, in their form: "f:spec", "f:http".
    """
    owners = [entry for entry in managed if _owns(entry.get("fieldsV1") or {}, path)]
    # Times are whole seconds: of two writers in one, it is the one that is neither Helm nor we.
    newest = max(
        owners,
        key=lambda entry: (str(entry.get("time") or ""), entry.get("manager") not in (HELM, FIELD_MANAGER)),
        default=None,
    )
    if newest is None:
        return UNKNOWN
    below = f" ({newest['subresource']})" if newest.get("subresource") else ""
    return f"{newest.get('manager')}{below}" + (f" at {newest['time']}" if newest.get("time") else "")


def _owns(fields: Mapping[str, Any], path: Sequence[str]) -> bool:
    return not path or (path[0] in fields and _owns(fields[path[0]] or {}, path[1:]))
