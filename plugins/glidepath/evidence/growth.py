"""One query about a selector's counters: what they are in sum, and of which pods that may be believed.

A sum hides what happens to its parts: one that vanishes and comes back with all it had would count at once. So Prometheus
says in the same answer which pods are steady: each counter has the newest sample of the pod and as many samples in the window
as the others, none fell, none came or went, and the pod is scraped by one way.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from glidepath.evidence.once import TARGETS
from glidepath.evidence.series import Grown, Key, Series, pod_in
from glidepath.evidence.source import narrowed, one_of
from glidepath.evidence.summed import pod_of, whole

MARK = "glidepath_tells"


@dataclass(frozen=True)
class GrowthQuery:
    """What is asked about a selector.

    Attributes:
        selector: The counters.
        window_s: How far back pods have to be steady, seconds.
        since: From when on the growth is, epoch seconds: when the newest sample was taken that was read last.
        labels: What the sums are told apart by.
        buckets: Whether they are cumulative buckets.
        without: Pods whose sums are not asked for.
        sums: Whether any are.
        before: Whether what they were at `since` is asked for as well.
        edges: Whether it is asked which edges each pod's buckets have.
    """

    selector: str
    window_s: float
    since: float
    labels: tuple[str, ...]
    buckets: bool
    without: frozenset[str]
    sums: bool
    before: bool
    edges: bool


@dataclass(frozen=True)
class GrowthAnswer:
    """What was said, by pod.

    Attributes:
        there: Which had samples in the window, or are in the sums with older ones.
        steady: When the newest sample was taken of those that are steady, epoch seconds.
        then: When the newest was taken that is not after `GrowthQuery.since`, if what sums were then was asked.
        edges: How many bucket edges each of a pod's histograms has, if that was asked.
        sums: Those of all pods that were asked about, by version and what else they keep.
        before: What they were at `GrowthQuery.since`, if that was asked.
    """

    there: frozenset[str]
    steady: Mapping[str, float]
    then: Mapping[str, float]
    edges: Mapping[str, float]
    sums: Mapping[Key, float]
    before: Mapping[Key, float]

    def grown(self, before: Mapping[Key, float]) -> list[Grown] | None:
        """By how much the sums grew.

        Args:
            before: What they were when they were read last.

        Returns:
            None where they are not sums of the same counters, or fell, or are no finite numbers.
        """
        if self.sums.keys() != before.keys():
            return None
        if not all(
            before[key] <= now < math.inf for key, now in self.sums.items()
        ):  # what is no number is read in parts
            return None
        newest = max(self.steady.values(), default=0.0)
        return [
            Grown(dict(key), ((self.steady.get(pod_in(key), newest), now - before[key]),))
            for key, now in self.sums.items()
        ]

    def have_edges(self, counts: Collection[float]) -> bool:
        """Whether the sums of each histogram are at so many edges, if that is one number."""
        edges = Counter(tuple(pair for pair in key if pair[0] != "le") for key in self.sums)
        return len(set(counts)) == 1 and {*edges.values()} == set(counts)


def query(asked: GrowthQuery) -> str:
    """The expression, an instant vector."""
    all_of, at = whole(asked.selector, asked.buckets), f"@ {asked.since:.3f}"
    vectors = [
        _told("steady", _steady(asked)),
        _told("there", f"count by (pod) (count_over_time({_window(asked)})) or count by (pod) ({all_of})"),
    ]
    if asked.before:
        vectors.append(_told("then", f"max by (pod) (timestamp({all_of} {at}))"))
    if asked.edges:
        # An edge that not all of a pod's histograms have is left out here, and is among the sums.
        alike = f"count by (pod, le) ({asked.selector}) == on (pod) group_left () count by (pod) ({all_of})"
        vectors.append(_told("edges", f"count by (pod) ({alike})"))
    if asked.sums:
        rest = narrowed(asked.selector, f"pod!~{one_of(sorted(asked.without))}") if asked.without else asked.selector
        by = f"sum by ({','.join(asked.labels)})"
        vectors += [_told("before", f"{by} ({rest} {at})")] if asked.before else []
        vectors.append(f"{by} ({rest})")
    return " or ".join(vectors)


def _window(asked: GrowthQuery) -> str:
    return f"{whole(asked.selector, asked.buckets)}[{max(1, round(asked.window_s))}s]"


def _steady(asked: GrowthQuery) -> str:
    """Of buckets only the last is looked at: those of a histogram come and go together, and the last falls if any does."""
    all_of, ranged = whole(asked.selector, asked.buckets), _window(asked)
    before = f"and stddev by (pod) (timestamp({all_of} @ {asked.since:.3f})) == 0 " if asked.before else ""
    return (
        f"(max by (pod) (timestamp({all_of})) and stddev by (pod) (timestamp({all_of})) == 0 "
        f"{before}and count by (pod) ({all_of}) == count by (pod) (count_over_time({ranged})) "
        f"and stddev by (pod) (count_over_time({ranged})) == 0 "
        f"and count by (pod) (group by (pod,{','.join(sorted(TARGETS))}) ({all_of})) == 1 "
        f"unless max by (pod) (resets({ranged})) > 0)"
    )


def _told(what: str, expression: str) -> str:
    return f'label_replace({expression}, "{MARK}", "{what}", "", "")'


def answer_of(rows: Iterable[Series]) -> GrowthAnswer:
    """What Prometheus' answer says."""
    pods: dict[str, dict[str, float]] = {"steady": {}, "then": {}, "there": {}, "edges": {}}
    sums, before = dict[Key, float](), dict[Key, float]()
    for row in rows:
        what, value = row.labels.get(MARK, ""), row.samples[0][1]
        if what in pods:
            pods[what][pod_of(row)] = value
        else:
            (before if what else sums)[tuple(pair for pair in row.key if pair[0] != MARK)] = value
    return GrowthAnswer(frozenset(pods["there"]), pods["steady"], pods["then"], pods["edges"], sums, before)
