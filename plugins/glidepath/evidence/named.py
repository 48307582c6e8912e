"""Series under the labels by which evidence is read: the pod in `pod`, the version in a label.

Some services name them otherwise: the pod in another label, the version inside the value of a label or of the pod's name,
or in a label of the pod that only kube-state-metrics knows. There the series are read one by one, never in sums of Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from glidepath.errors import EvidenceError
from glidepath.evidence.series import KNOWN, Histogram, Samples, Series
from glidepath.evidence.source import Naming, Source, narrowed, one_of

# The label that the version is put into, and the one that keeps a label `pod` that names another pod.
VERSION, SCRAPED = "glidepath_version", "scraped_pod"
# kube-state-metrics is scraped more rarely than the service: so much further is looked back for a pod's labels, seconds.
LABELS_S = 300.0
S = TypeVar("S", Series, Histogram)
# Reads the series of a selector in the window of so many seconds that ends at a time, by a step.
Read = Callable[[str, float, float, float | None], list[S]]


def named(prometheus: Samples, source: Source) -> Samples:
    """A reader of a source's samples, under the labels that evidence is read by."""
    return prometheus if source.as_usual or isinstance(prometheus, Named) else Named(prometheus, source)


@dataclass
class Named:
    """A reader that gives series the labels `pod` and `glidepath_version`; series of no version are left out.

    Args:
        prometheus: Where the samples are.
        source: Which series, and where they name pod and version.
    """

    prometheus: Samples
    source: Source
    _known: tuple[tuple[str, float, float], dict[str, str]] = field(default=(("", 0.0, 0.0), {}), init=False)

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """As `Prometheus.range_vector`.

        Raises:
            EvidenceError: As there; or nobody tells pods' labels, or a pod is of two versions.
        """
        return self._read(self.prometheus.range_vector, selector, window_s, at, step_s)

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """As `Prometheus.range_histograms`; errors as in `range_vector`."""
        return self._read(self.prometheus.range_histograms, selector, window_s, at, step_s)

    def vector(self, expression: str, at: float) -> list[Series]:
        """As `Prometheus.vector`: no selector is named in it, so labels are as they are."""
        return self.prometheus.vector(expression, at)

    def now(self) -> float:
        """As `Prometheus.now`."""
        return self.prometheus.now()

    def _read(self, read: Read[S], selector: str, window_s: float, at: float, step_s: float | None) -> list[S]:
        naming = self.source.naming_of(selector)
        if naming is None:
            return read(selector, window_s, at, step_s)
        pods = self._pods(naming, window_s, at)
        if pods is not None and not pods:
            return []
        series = read(_of(naming, selector, pods), window_s, at, step_s)
        return [
            replace(one, labels=labels) for one in series if (labels := _named(naming, one.labels, pods)) is not None
        ]

    def _pods(self, naming: Naming, window_s: float, at: float) -> dict[str, str] | None:
        """By pod, its version as its label says; None where other labels tell it."""
        if not naming.pods:
            return None
        key = (naming.pods, window_s, at)
        if self._known[0] != key:
            labelled = self.prometheus.range_vector(naming.pods, window_s + LABELS_S, at)
            if not labelled:
                raise EvidenceError(
                    f"Prometheus has no series {naming.pods}: which pods are of which version is not known. Is kube-state-metrics "
                    "scraped (with honor_labels), and do its `--metric-labels-allowlist=pods=[...]` have these labels?"
                )
            self._known = key, pods_by_label(labelled, naming)
        return self._known[1]


def _of(naming: Naming, selector: str, pods: dict[str, str] | None) -> str:
    return selector if pods is None else narrowed(selector, f"{naming.pod}=~{one_of(sorted(pods))}")


def _named(naming: Naming, labels: dict[str, str], pods: dict[str, str] | None) -> dict[str, str] | None:
    """The labels with pod and version; None where the series is of none of the versions."""
    pod = labels.get(naming.pod, "")
    version = pods.get(pod) if pods is not None else version_in(labels.get(naming.label, ""), naming.versions)
    if version is None:
        return None
    moved = {SCRAPED: labels["pod"]} if labels.get("pod", pod) != pod else {}
    return {**labels, **moved, "pod": pod, VERSION: version}


def pods_by_label(labelled: Iterable[Series], naming: Naming) -> dict[str, str]:
    """By pod, its version, of what kube-state-metrics tells of pods' labels.

    Raises:
        EvidenceError: A pod has been of two versions: what it counted is not known to be either's.
    """
    had: dict[str, set[str]] = {}
    for series in labelled:
        had.setdefault(series.labels.get("pod", ""), set()).add(series.labels.get(naming.label, ""))
    for pod, versions in had.items():
        if len(versions) > 1:
            raise EvidenceError(
                f"kube_pod_labels has {naming.label} {' and '.join(map(repr, sorted(versions)))} for one pod, {pod}: which version "
                "its requests were of is not known. A pod keeps its label for life; start another instead of changing it"
            )
    wanted = {version for version, _ in naming.versions}
    return {pod: version for pod, (version,) in had.items() if version in wanted}


@lru_cache(KNOWN)
def version_in(value: str, versions: tuple[tuple[str, str], ...]) -> str | None:
    """The version whose pattern matches a value in full; None if none does.

    Raises:
        EvidenceError: Two do.
    """
    matches = [version for version, pattern in versions if re.fullmatch(pattern, value) is not None]
    if len(matches) > 1:
        raise EvidenceError(
            f"{value!r} may be of version {' or of '.join(matches)}: their names can't be told apart there. Give one another name, "
            "or say where else the version is, by `evidence.counts.version`"
        )
    return matches[0] if matches else None
