"""What Istio's validating webhook refuses of a VirtualService, in its words; written down from what istiod answered."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.fields import Object, Refused


def validate(found: Object) -> None:
    """Refuse a VirtualService as istiod does.

    Raises:
        Refused: With status 400 and every reason.
    """
    wrong = list(_wrong(found.get("spec") or {}))
    if wrong:
        text = (
            f'admission webhook "validation.istio.io" denied the request: configuration is invalid: {"; ".join(wrong)}'
        )
        raise Refused(400, "BadRequest", text)


def _wrong(spec: Object) -> Iterator[str]:
    if not any(spec.get(kind) for kind in ("http", "tcp", "tls")):
        yield "http, tcp or tls must be provided in virtual service"
    for entry in spec.get("http") or []:
        yield from (_delegated(entry) if entry.get("delegate") else _answered(entry))


def _delegated(entry: Object) -> Iterator[str]:
    name = entry.get("name", "")
    for field in ("redirect", "route"):
        if entry.get(field) is not None:
            yield f"root HTTP route {name} must not specify {field}"


def _answered(entry: Object) -> Iterator[str]:
    route = entry.get("route") or []
    for field, words in (("redirect", "redirect"), ("directResponse", "direct_response")):
        if entry.get(field) is not None:
            if route:
                yield f"HTTP route cannot contain both route and {words}"
            if entry.get("fault") is not None:
                yield f"HTTP route cannot contain both fault and {words}"
            break
    else:
        if not route:
            yield "HTTP route, redirect or direct_response is required"
    if entry.get("mirror") and entry.get("mirrors"):
        yield "HTTP route cannot contain both mirror and mirrors"
    for one in route:
        if not (one.get("destination") or {}).get("host"):
            yield "destination host is required"
    weights = [int(one.get("weight", 0)) for one in route]
    if len(weights) > 1 and not sum(weights):
        yield "total destination weight = 0"
