"""Metrics of the releases themselves: out of what their guards write on the Leases, so Airflow may be away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from glidepath.claim.state import STATUS, ClaimState
from glidepath.kube import GROUP

PREFIX = "glidepath_release"
# What a release's phase can be; all are told, one of them as 1.
PHASES = (
    "planned", "claimed", "deployed", "baking", "promoting", "observing", "rolling_back", "promoted", "rolled_back", "refused",
)  # fmt: skip
VERDICTS = ("PASS", "FAIL", "UNDECIDED", "NO_DATA")
PLAIN = (
    ("weight", "weight_percent", "Percent of the requests that the canary was given."),
    ("step", "step", "Number of the step in force; 0 before the first."),
    ("steps", "steps", "How many steps it has."),
    ("started", "started_timestamp_seconds", "When it was planned."),
    ("deadline", "deadline_timestamp_seconds", "When the policy answers a release that is undecided."),
    ("looks", "looks", "How often it was judged."),
    ("failures", "query_failures", "How many of these looks had no telemetry."),
    ("look_s", "query_seconds", "How long the last look took: queries and judgement."),
    ("at", "look_timestamp_seconds", "End of the last interval that was judged."),
    ("blind_since", "blind_since_timestamp_seconds", "Since when there is no telemetry; absent where there is."),
    ("decided_s", "decision_seconds", "From the first weight to the guard's last word."),
    ("brake_s", "brake_seconds", "From the brake to the routes that read so."),
)
# Of each metric: name, and what it is.
BY_METRIC = (
    ("effect", "effect", "Effect: a difference of shares, or a ratio of quantiles."),
    ("low", "effect_low", "Lower end of its interval."),
    ("high", "effect_high", "Upper end of its interval."),
    ("limit", "harm_limit", "Harm lies beyond it."),
    ("safe_limit", "comparable_limit", "Comparable lies within it."),
    ("harm_e", "harm_evidence", "Evidence of harm."),
    ("harm_threshold", "harm_evidence_needed", "What takes a canary back."),
    ("safety_e", "comparable_evidence", "Evidence of being comparable."),
    ("safety_threshold", "comparable_evidence_needed", "What may be promoted."),
)


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
            before = self._last.get(place, "" if namespace in self._passed else None)
            if outcome:
                # What had ended before this process began is no news.
                self._ended[*place, outcome] = self._ended.get((*place, outcome), 0) + (before not in (None, run))
            self._last[place] = run
        self._passed.add(namespace)

    def lines(self) -> Iterator[str]:
        """In Prometheus' text format."""
        rows = sorted(dict(self._told).items())
        yield from _family("info", "gauge", "The release that holds a service, or held it last.", (
            (place, {name: str(status.get(name, "")) for name in ("release", "stable", "canary")}, 1) for place, status in rows
        ))  # fmt: skip
        for key, values in (("phase", PHASES), ("verdict", VERDICTS)):
            yield from _family(key, "gauge", f"1 for its {key}, 0 for each other.", (
                (place, {key: value}, int(status.get(key) == value)) for place, status in rows for value in values
            ))  # fmt: skip
        for key, name, text in PLAIN:
            yield from _family(name, "gauge", text, ((place, {}, status.get(key)) for place, status in rows))
        for key, name, text in BY_METRIC:
            yield from _family(name, "gauge", text, (
                (place, {"metric": metric}, numbers.get(key)) for place, status in rows for metric, numbers in _metrics(status)
            ))  # fmt: skip
        ended = sorted(dict(self._ended).items())
        yield from _family("ended_total", "counter", "Releases that ended, by outcome.", (
            ((namespace, service), {"outcome": outcome}, count) for (namespace, service, outcome), count in ended
        ))  # fmt: skip


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


def _family(name: str, kind: str, text: str, rows: Iterator[Any] | Any) -> Iterator[str]:
    full = f"{PREFIX}_{name}"
    yield f"# HELP {full} {text}"
    yield f"# TYPE {full} {kind}"
    for (namespace, service), labels, value in rows:
        if isinstance(value, int | float) and not isinstance(value, bool):
            pairs = {"namespace": namespace, "service": service, **labels}
            yield f"{full}{{{','.join(f'{key}={_quoted(label)}' for key, label in pairs.items())}}} {value}"


def _quoted(value: str) -> str:
    """A label's value: https://prometheus.io/docs/instrumenting/exposition_formats."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
