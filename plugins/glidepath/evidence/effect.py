"""Whether a change of the traffic shows in the counts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

from glidepath.errors import EvidenceError
from glidepath.evidence.named import named
from glidepath.evidence.series import Samples, Series
from glidepath.evidence.source import Source

# A pod without a sample for so many scrapes, while others have some, is gone.
GONE_AFTER_SCRAPES = 2.5
# Until so many scrapes after a write have been read, silence is waited for; at least so long, seconds.
PATIENCE_SCRAPES = 6
PATIENCE_S = 60.0


def requests_of(prometheus: Samples, source: Source, version: str, window_s: float) -> tuple[int, int]:
    """Requests a version got in the last `window_s` seconds, and how many of its pods had at least two samples.

    Raises:
        EvidenceError: Prometheus did not answer.
    """
    total, pods = 0.0, set()
    for series in named(prometheus, source).range_vector(source.requests, window_s, prometheus.now()):
        if series.labels.get(source.version_label) != version or len(series.samples) < 2:
            continue
        pods.add(series.labels.get("pod", ""))
        total += _grown(series.samples)
    return round(total), len(pods)


def wait_silent(
    prometheus: Samples, source: Source, version: str, scrape_s: float, lag_s: float = 0.0,
    timeout_s: float | None = None,
) -> float:  # fmt: skip
    """Wait until each pod of a version was scraped twice since the traffic was taken from it, without a request between.

    A version whose pods are gone, while others report, is silent.

    Args:
        prometheus: Where the samples are.
        source: Which series.
        version: The version that gets no more traffic, by a write that was made before.
        scrape_s: Seconds between scrapes.
        lag_s: How much later than it was taken a sample can be read, seconds.
        timeout_s: How long it is waited for; None: for some scrapes.

    Returns:
        Seconds it took.

    Raises:
        EvidenceError: It still had requests, or no sample came that is newer than the write; or Prometheus did not answer.
    """
    started, written = time.monotonic(), prometheus.now()
    patience = max(PATIENCE_S, PATIENCE_SCRAPES * scrape_s + 2 * lag_s) if timeout_s is None else timeout_s
    before = GONE_AFTER_SCRAPES * scrape_s + lag_s + 1
    while True:
        now = prometheus.now()
        requests = named(prometheus, source).range_vector(source.requests, now - written + before, now)
        count, unseen = _since(requests, source, version, written, GONE_AFTER_SCRAPES * scrape_s)
        elapsed = time.monotonic() - started
        if count == 0 and not unseen:
            return elapsed
        if elapsed > patience:
            raise EvidenceError(
                f"{version} still got {count} requests between its last two scrapes, after {elapsed:.0f} s" if count else
                f"no two samples of {', '.join(sorted(unseen))} ({version}) that are newer than the write came within "
                f"{elapsed:.0f} s"
            )  # fmt: skip
        time.sleep(min(1.0, scrape_s / 2))


def _since(
    requests: Iterable[Series], source: Source, version: str, written: float, gone_s: float
) -> tuple[int, set[str]]:
    """Requests between the last two scrapes of a version's pods after a write, and the pods that have no two yet."""
    newest: dict[tuple[str, str], float] = {}
    grown: dict[str, float] = {}
    seen: set[str] = set()
    for series in requests:
        pod, of = series.labels.get("pod", ""), series.labels.get(source.version_label, "")
        newest[of, pod] = max(newest.get((of, pod), 0.0), series.samples[-1][0])
        after = [sample for sample in series.samples if sample[0] > written]
        if of == version and len(after) > 1:
            seen.add(pod)
            grown[pod] = grown.get(pod, 0.0) + _grown(after[-2:])
    last = max(newest.values(), default=0.0)
    there = {pod for (of, pod), at in newest.items() if of == version and last - at <= gone_s}
    unseen = there - seen
    if last <= written:  # nothing was read since, of anybody
        unseen |= there or {"any pod"}
    return round(sum(grown.get(pod, 0.0) for pod in there)), unseen


def _grown(samples: Iterable[tuple[float, float]]) -> float:
    values = [value for _, value in samples]
    return sum(b - a if b >= a else b for a, b in itertools.pairwise(values))
