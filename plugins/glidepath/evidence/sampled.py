"""Evidence out of the raw samples of a Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glidepath.evidence.baseline import Baseline, Block, baseline, pods_before
from glidepath.evidence.cadence import WINDOW_S, Cadence, cadence
from glidepath.evidence.collector import Collector
from glidepath.evidence.effect import requests_of, wait_silent
from glidepath.evidence.named import named
from glidepath.evidence.series import Samples
from glidepath.evidence.shared import Shared
from glidepath.evidence.source import Source

# So many beats has a scrape: what is new is seen after a tenth of one on the average.
BEATS = 5


class SampledEvidence:
    """See `Evidence`. Every method raises EvidenceError when Prometheus does not answer, or not with evidence.

    Args:
        samples: Where the samples are.
        shared: The same for those who watch; None: each asks for itself.
    """

    def __init__(self, samples: Samples, shared: Shared | None = None) -> None:
        self._samples, self._shared = samples, shared

    def now(self) -> float:
        """See `Evidence.now`."""
        return self._samples.now()

    def cadence(self, source: Source, version: str, at: float) -> Cadence | None:
        """See `Evidence.cadence`."""
        requests = named(self._samples, source).range_vector(source.requests, WINDOW_S, at)
        return cadence((series for series in requests if series.labels.get(source.version_label) == version), at)

    def past(self, source: Source, version: str, window_s: float, at: float) -> Baseline:
        """See `Evidence.past`."""
        return baseline(self._samples, source, version, window_s, at)

    def older(self, source: Source, version: str, window_s: float, until: float) -> tuple[Sequence[Block], float]:
        """See `Evidence.older`."""
        return pods_before(self._samples, source, version, window_s, until)

    def requests(self, source: Source, version: str, window_s: float) -> tuple[int, int]:
        """See `Evidence.requests`."""
        return requests_of(self._samples, source, version, window_s)

    def labels(self, source: Source, selector: str, window_s: float, at: float) -> list[Mapping[str, str]]:
        """See `Evidence.labels`."""
        return [series.labels for series in named(self._samples, source).range_vector(selector, window_s, at)]

    def watch(
        self, source: Source, control: str, versions: Sequence[str], scrape_s: float, planned_per_s: float = 0.0,
        lag_s: float = 0.0, apart: frozenset[str] = frozenset(),
    ) -> Collector:  # fmt: skip
        """See `Evidence.watch`."""
        if self._shared is None:
            return Collector(self._samples, source, control, versions, scrape_s, planned_per_s, lag_s, apart)
        view = self._shared.view(scrape_s / BEATS)
        watch = Collector(view, source, control, versions, scrape_s, planned_per_s, lag_s, apart)
        view.serve(watch, filter(None, (source.requests, source.latency) if source.as_usual else ()))
        return watch

    def silent(self, source: Source, version: str, scrape_s: float, lag_s: float) -> float:
        """See `Evidence.silent`."""
        return wait_silent(self._samples, source, version, scrape_s, lag_s)
