"""Every metric that the watchdog tells: name, type, labels, unit, and what it says. The reference in the documents is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

OWN, RELEASE = "glidepath_watchdog", "glidepath_release"
# What a metric of releases is about, before labels of its own.
PLACE = ("namespace", "service")


@dataclass(frozen=True)
class Family:
    """A metric, as Prometheus' text format has it.

    Attributes:
        name: In full.
        kind: `gauge` or `counter`.
        labels: The names of its labels.
        unit: What a sample of it is in.
        text: What it tells.
        key: Where its value stands in a Lease's status; empty for what is no number there.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    unit: str
    text: str
    key: str = ""

    def lines(self, rows: Iterable[tuple[Mapping[str, str], object]]) -> Iterator[str]:
        """Its head, and a line for each row: labels and value. What is no number is left out."""
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in rows:
            if isinstance(value, int | float) and not isinstance(value, bool):
                pairs = ",".join(f"{name}={_quoted(labels[name])}" for name in self.labels)
                yield f"{self.name}{{{pairs}}} {value}" if pairs else f"{self.name} {value}"


def _quoted(value: str) -> str:
    """A label's value: https://prometheus.io/docs/instrumenting/exposition_formats."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _own(name: str, kind: str, labels: tuple[str, ...], unit: str, text: str) -> Family:
    return Family(f"{OWN}_{name}", kind, labels, unit, text)


def _release(name: str, unit: str, text: str, key: str, *labels: str, kind: str = "gauge") -> Family:
    return Family(f"{RELEASE}_{name}", kind, (*PLACE, *labels), unit, text, key)


BRAKES = _own("brakes_total", "counter", ("service",), "canaries", "Releases whose traffic was put back on stable.")
ERRORS = _own("errors_total", "counter", ("service",), "failures", "Failures in dealing with a service's claim.")
CLAIMS = _own("claims", "gauge", ("state",), "claims", "Claims by state.")
PASS_AGE = _own("last_pass_age_seconds", "gauge", (), "seconds", "Seconds since a pass succeeded.")

INFO = _release(
    "info", "1", "The release that holds a service, or held it last.", "", "release", "stable", "canary"
)  # fmt: skip
PHASE = _release("phase", "0 or 1", "1 for its phase, 0 for each other.", "phase", "phase")
VERDICT = _release("verdict", "0 or 1", "1 for its verdict, 0 for each other.", "verdict", "verdict")
PLAIN = (
    _release("weight_percent", "percent", "Percent of the requests that the canary was given.", "weight"),
    _release("step", "steps", "Number of the step in force; 0 before the first.", "step"),
    _release("steps", "steps", "How many steps it has.", "steps"),
    _release("started_timestamp_seconds", "epoch seconds", "When it was planned.", "started"),
    _release(
        "deadline_timestamp_seconds", "epoch seconds", "When the policy answers a release that is undecided.", "deadline"
    ),
    _release("looks", "looks", "How often it was judged.", "looks"),
    _release("query_failures", "looks", "How many of these looks had no telemetry.", "failures"),
    _release("query_seconds", "seconds", "How long the last look took: queries and judgement.", "look_s"),
    _release("look_timestamp_seconds", "epoch seconds", "End of the last interval that was judged.", "at"),
    _release(
        "blind_since_timestamp_seconds", "epoch seconds", "Since when there is no telemetry; absent where there is.",
        "blind_since",
    ),
    _release("decision_seconds", "seconds", "From the first weight to the guard's last word.", "decided_s"),
    _release("brake_seconds", "seconds", "From the brake to the routes that read so.", "brake_s"),
)  # fmt: skip
_EFFECT, _EVIDENCE = "share or ratio", "e-value"
BY_METRIC = (
    _release("effect", _EFFECT, "Effect: a difference of shares, or a ratio of quantiles.", "effect", "metric"),
    _release("effect_low", _EFFECT, "Lower end of its interval.", "low", "metric"),
    _release("effect_high", _EFFECT, "Upper end of its interval.", "high", "metric"),
    _release("harm_limit", _EFFECT, "Harm lies beyond it.", "limit", "metric"),
    _release("comparable_limit", _EFFECT, "Comparable lies within it.", "safe_limit", "metric"),
    _release("harm_evidence", _EVIDENCE, "Evidence of harm.", "harm_e", "metric"),
    _release("harm_evidence_needed", _EVIDENCE, "What takes a canary back.", "harm_threshold", "metric"),
    _release("comparable_evidence", _EVIDENCE, "Evidence of being comparable.", "safety_e", "metric"),
    _release("comparable_evidence_needed", _EVIDENCE, "What may be promoted.", "safety_threshold", "metric"),
)
ENDED = _release("ended_total", "releases", "Releases that ended, by outcome.", "", "outcome", kind="counter")

EVERY = (BRAKES, ERRORS, CLAIMS, PASS_AGE, INFO, PHASE, VERDICT, *PLAIN, *BY_METRIC, ENDED)
