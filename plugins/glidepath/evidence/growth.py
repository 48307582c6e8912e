"""One query about a selector's counters: by how much they grew in sum, and of which pods that may be believed.

A sum hides what happens to its parts: one that vanishes and comes back with all it had would count at once. So Prometheus
says in the same answer which pods are steady: each counter has the newest sample of the pod and as many samples in the window
as the others, none fell, none came or went, and the pod is scraped by one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from glidepath.evidence.once import TARGETS
from glidepath.evidence.prometheus import Grown, Series
from glidepath.evidence.source import narrowed, one_of
from glidepath.evidence.summed import pod_of, whole

MARK = "glidepath_tells"


@dataclass(frozen=True)
class Asked:
    """What is asked about a selector.

    Attributes:
        selector: The counters.
        window_s: How far back pods have to be steady, seconds.
        since: From when on the growth is, epoch seconds: when the newest sample was taken that was read last.
        labels: What the sums are told apart by.
        buckets: Whether they are cumulative buckets.
        without: Pods whose growth is not asked for.
        sums: Whether any is.
    """

    selector: str
    window_s: float
    since: float
    labels: tuple[str, ...]
    buckets: bool
    without: frozenset[str]
    sums: bool


@dataclass(frozen=True)
class Answer:
    """What was said, by pod.

    Attributes:
        there: Which had samples in the window.
        steady: When the newest sample was taken of those that are steady, epoch seconds.
        then: When the newest was taken that is not after `Asked.since`.
        edges: Of the steady, how many bucket edges each of their histograms has.
        grown: By how much the counters of all pods that were asked about grew, by version and what else sums keep.
    """

    there: frozenset[str]
    steady: Mapping[str, float]
    then: Mapping[str, float]
    edges: Mapping[str, float]
    grown: list[Grown]

    def plausible(self, buckets: bool, pods: Iterable[str]) -> bool:
        """Whether the growth is that of counters of these pods, and buckets are at the same edges in all."""
        if not all(one.samples[0][1] >= 0 for one in self.grown):
            return False
        pods = list(pods)
        if not pods or not buckets:
            return bool(self.grown) == bool(pods)
        edges: dict[tuple[tuple[str, str], ...], set[str]] = {}
        for one in self.grown:
            edges.setdefault(tuple(pair for pair in one.key if pair[0] != "le"), set()).add(one.labels.get("le", ""))
        return bool(edges) and {self.edges.get(pod) for pod in pods} == {float(len(found)) for found in edges.values()}


def query(asked: Asked) -> str:
    """The expression, an instant vector."""
    all_of, at = whole(asked.selector, asked.buckets), f"@ {asked.since:.3f}"
    told = [
        _told("steady", _steady(asked)),
        _told("then", f"max by (pod) (timestamp({all_of} {at}))"),
        _told("there", f"0 * max by (pod) (count_over_time({_window(asked)}))"),
    ]
    if asked.buckets:
        # An edge that not all of a pod's histograms have is left out here, and is among the sums.
        alike = f"count by (pod, le) ({asked.selector}) == on (pod) group_left () count by (pod) ({all_of})"
        told.append(_told("edges", f"count by (pod) ({alike})"))
    if asked.sums:
        rest = narrowed(asked.selector, f"pod!~{one_of(sorted(asked.without))}") if asked.without else asked.selector
        by = f"sum by ({','.join(asked.labels)})"
        told.append(f"({by} ({rest}) - {by} ({rest} {at}))")
    return " or ".join(told)


def _window(asked: Asked) -> str:
    return f"{whole(asked.selector, asked.buckets)}[{max(1, round(asked.window_s))}s]"


def _steady(asked: Asked) -> str:
    """Of buckets only the last is looked at: those of a histogram come and go together, and the last falls if any does."""
    one, ranged = whole(asked.selector, asked.buckets), _window(asked)
    return (
        f"(max by (pod) (timestamp({one})) and stddev by (pod) (timestamp({one})) == 0 "
        f"and stddev by (pod) (timestamp({one} @ {asked.since:.3f})) == 0 "
        f"and count by (pod) ({one}) == count by (pod) (count_over_time({ranged})) "
        f"and stddev by (pod) (count_over_time({ranged})) == 0 "
        f"and count by (pod) (group by (pod,{','.join(sorted(TARGETS))}) ({one})) == 1 "
        f"unless max by (pod) (resets({ranged})) > 0)"
    )


def _told(what: str, expression: str) -> str:
    return f'label_replace({expression}, "{MARK}", "{what}", "", "")'


def answer_of(rows: Iterable[Series]) -> Answer:
    """What Prometheus' answer says."""
    said: dict[str, dict[str, float]] = {"steady": {}, "then": {}, "there": {}, "edges": {}}
    sums = []
    for one in rows:
        if MARK in one.labels:
            said[one.labels[MARK]][pod_of(one)] = one.samples[0][1]
        else:
            sums.append(one)
    steady = said["steady"]
    newest = max(steady.values(), default=0.0)
    grown = [Grown(one.labels, ((steady.get(pod_of(one), newest), one.samples[0][1]),)) for one in sums]
    edges = {pod: said["edges"].get(pod, 0.0) for pod in steady}
    return Answer(frozenset(said["there"]), steady, said["then"], edges, grown)
