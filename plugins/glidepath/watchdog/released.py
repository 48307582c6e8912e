"""Metrics of the releases themselves: out of what their guards write on the Leases, so Airflow may be away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from glidepath.claim.state import ABANDONED, STATUS, ClaimState
from glidepath.kube import GROUP
from glidepath.watchdog.families import BY_METRIC, ENDED, INFO, PHASE, PLAIN, VERDICT

# What a release's phase can be; all are told, one of them as 1.
PHASES = (
    "planned", "claimed", "deployed", "baking", "promoting", "observing", "rolling_back", "promoted", "rolled_back", "refused",
)  # fmt: skip
VERDICTS = ("PASS", "FAIL", "UNDECIDED", "NO_DATA")
# How a release that held its service can end. Told as 0 before: of a counter that begins with 1 Prometheus counts no increase.
OUTCOMES = ("promoted", "rolled_back", ABANDONED)


class Releases:
    """What the Leases say of releases, by namespace and service; one thread writes, another renders."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._last: dict[tuple[str, str], str] = {}
        self._passed: set[str] = set()
        self._ended: dict[tuple[str, str, str], int] = {}

    def seen(self, namespace: str, states: Mapping[str, ClaimState]) -> None:
        """Note what the Leases of a namespace say, by service. What is none of ours is left out."""
        for service, state in states.items():
            place = namespace, service
            status = _parsed(state.annotations.get(STATUS))
            if status is None:
                self._told.pop(place, None)
            else:
                self._told[place] = status
            run, outcome = (state.annotations.get(f"{GROUP}/last-{what}", "") for what in ("run", "outcome"))
            for one in OUTCOMES:
                self._ended.setdefault((*place, one), 0)
            before = self._last.get(place, "" if namespace in self._passed else None)
            if outcome:
                # What had ended before this process began is no news.
                self._ended[*place, outcome] = self._ended.get((*place, outcome), 0) + (before not in (None, run))
            self._last[place] = run
        self._passed.add(namespace)

    def lines(self) -> Iterator[str]:
        """In Prometheus' text format."""
        told = [(_place(*place), status) for place, status in sorted(dict(self._told).items())]
        names = ("release", "stable", "canary")
        yield from INFO.lines(
            (place | {name: str(status.get(name, "")) for name in names}, 1) for place, status in told
        )
        for family, values in ((PHASE, PHASES), (VERDICT, VERDICTS)):
            yield from family.lines(
                (place | {family.key: value}, int(status.get(family.key) == value))
                for place, status in told
                for value in values
            )
        for family in PLAIN:
            yield from family.lines((place, status.get(family.key)) for place, status in told)
        for family in BY_METRIC:
            yield from family.lines(
                (place | {"metric": metric}, numbers.get(family.key))
                for place, status in told
                for metric, numbers in _metrics(status)
            )
        yield from ENDED.lines(
            (_place(namespace, service) | {"outcome": outcome}, count)
            for (namespace, service, outcome), count in sorted(dict(self._ended).items())
        )


def _place(namespace: str, service: str) -> dict[str, str]:
    return {"namespace": namespace, "service": service}


def _metrics(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    metrics = status.get("metrics")
    for name, numbers in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(numbers, dict):
            yield name, numbers


def _parsed(text: str | None) -> Mapping[str, Any] | None:
    """What a Lease says; None for nothing, or for what somebody else wrote there."""
    try:
        status = json.loads(text or "null")
    except ValueError:
        return None
    return status if isinstance(status, dict) else None
