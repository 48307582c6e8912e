"""For how long each pod is counted in an interval: for as many scrapes as any other.

Pods are scraped at their own times. A look that comes late finds one more sample of those that were scraped meanwhile, and
a canary that is counted for 10 s beside a stable version that is counted for 5 s seems to get twice its share. So such a
look is made as of a time by which all have as many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glidepath.evidence.series import Series
from glidepath.evidence.source import Source

# Prometheus' times are in milliseconds.
BEFORE_S = 0.001
# Newest samples further apart than this part of a scrape are not of one round of scrapes.
ROUND = 0.95

# Its version and its name.
Pod = tuple[str, str]


@dataclass(frozen=True)
class Read:
    """What was read as of a time.

    Attributes:
        at: The time, epoch seconds.
        requests, latency: The series.
        newest: When the newest sample of each pod was taken, epoch seconds.
    """

    at: float
    requests: list[Series]
    latency: list[Series]
    newest: dict[Pod, float]

    def compared(self, counted: Mapping[Pod, float], end: float, gone_s: float) -> dict[Pod, float]:
        """Of the pods that were there at the last interval and are there now, until when they were counted, epoch seconds.

        Args:
            counted: Until when any pod was counted, epoch seconds.
            end: When the last interval ended, epoch seconds.
            gone_s: Without a newer sample for so long a pod is gone, seconds.
        """
        return {
            pod: until
            for pod, until in counted.items()
            if end - until <= gone_s and self.at - self.newest.get(pod, 0.0) <= gone_s
        }

    def before_round(self, scrape_s: float, gone_s: float) -> float | None:
        """When to look instead for a baseline, epoch seconds, so that the newest samples of all pods are of one round.

        Of pods that begin a round apart, no later time finds as many scrapes of each. None where they are of one.
        """
        there = [newest for newest in self.newest.values() if self.at - newest <= gone_s]
        return None if max(there) - min(there) < ROUND * scrape_s else max(there) - BEFORE_S


def pod_and_version(series: Series, source: Source) -> Pod:
    """Which pod a series is of."""
    return series.labels.get(source.version_label, ""), series.labels.get("pod", "")


def too_late(read: Read, source: Source, compared: Mapping[Pod, float], scrape_s: float) -> float | None:
    """When to look instead, so that no pod is counted for a scrape more than another; None where none is.

    Args:
        read: What there is.
        source: How the series are read.
        compared: Until when the pods were counted that have to be alike, epoch seconds.
        scrape_s: Seconds between scrapes.

    Returns:
        Just before the first sample by which a pod is ahead of the one that is counted for the shortest time, epoch seconds.
    """
    spans = {pod: read.newest[pod] - until for pod, until in compared.items()}
    shortest = min(spans.values(), default=0.0)
    # Half a scrape more is none more, as scrapes are not quite regular.
    most = shortest + min(scrape_s, shortest) / 2
    ahead = {pod: compared[pod] + most for pod, span in spans.items() if span > most}
    if not ahead:
        return None
    samples = ((pod_and_version(series, source), at) for series in read.requests for at, _ in series.samples)
    return min(at for pod, at in samples if pod in ahead and at > ahead[pod]) - BEFORE_S
