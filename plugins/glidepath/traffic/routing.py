"""A service's VirtualService as a claim found it: what is the claim's own, and what everything can be put back to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# The API server lets all annotations of an object have 256 KiB together.
LONGEST_TEXT = 100_000
HELM = "meta.helm.sh/"
# Which namespaces' proxies go by it, where that is not said.
EVERYWHERE = ("*",)
# Routes of connections, beside those of requests in `http`.
BELOW = ("tls", "tcp")


@dataclass(frozen=True)
class Routing:
    """A VirtualService, without what the API server keeps for itself.

    Attributes:
        uid: Its identity; one that is made anew has another.
        hosts, gateways, http: As in its `spec`.
        exported: `spec.exportTo`; None where that was not written down.
        below: `spec.tls` and `spec.tcp`, where there are any.
        labels: All of them.
        annotations: Helm's, without which it takes no object for its own.
    """

    uid: str
    hosts: Sequence[str]
    gateways: Sequence[str]
    http: Sequence[Mapping[str, Any]]
    exported: Sequence[str] | None = None
    below: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, live: Mapping[str, Any]) -> Routing:
        """The routing that an object says."""
        metadata, spec = live["metadata"], live["spec"]
        annotations = metadata.get("annotations") or {}
        return cls(
            uid=str(metadata.get("uid") or ""),
            hosts=tuple(spec.get("hosts") or ()),
            gateways=tuple(spec.get("gateways") or ()),
            http=tuple(spec.get("http") or ()),
            exported=tuple(spec.get("exportTo") or ()),
            below={kind: tuple(spec[kind]) for kind in BELOW if spec.get(kind)},
            labels=dict(metadata.get("labels") or {}),
            annotations={key: value for key, value in annotations.items() if key.startswith(HELM)},
        )

    def to_dict(self) -> dict[str, Any]:
        """For the record."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Routing:
        """Out of the record."""
        lists = {name: tuple(data[name]) for name in ("hosts", "gateways", "http")}
        below = {kind: tuple(entries) for kind, entries in (data.get("below") or {}).items() if kind in BELOW}
        exported = None if data.get("exported") is None else tuple(data["exported"])
        return cls(
            uid=data["uid"], exported=exported, below=below, labels=data["labels"], annotations=data["annotations"], **lists
        )  # fmt: skip

    def all_below(self) -> list[Mapping[str, Any]]:
        """The routes of connections, whatever their kind."""
        return [entry for entries in self.below.values() for entry in entries]

    def to_text(self) -> str:
        """For an annotation; empty where it would not fit into one."""
        text = json.dumps(asdict(self), separators=(",", ":"))
        return text if len(text) <= LONGEST_TEXT else ""

    @classmethod
    def from_text(cls, text: str) -> Routing | None:
        """Out of an annotation; None for none, or for what somebody else wrote there."""
        try:
            routing = cls.from_dict(json.loads(text)) if text else None
            known = routing is None or all(map(_is_entry, (*routing.http, *routing.all_below())))
            return routing if known else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, Mapping):
        return False
    ways = [*(entry.get("route") or []), *(entry.get("mirrors") or [])]
    led = [isinstance(way, Mapping) and isinstance(way.get("destination"), Mapping) for way in ways]
    return all(led) and isinstance(entry.get("mirror") or {}, Mapping)
