"""On a real Prometheus: what is read in sums is what the samples say, whatever pods and counters do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from bench.evidence.__main__ import prometheus as started
from bench.evidence.service import Labels, write
from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Prometheus, Source, Waiting, app_source, baseline, summed
from glidepath.evidence.baseline import Baseline
from glidepath.evidence.interval import Collected
from tests.unit.evidence.summing import Summing
from tests.unit.evidence.test_present import HAPPENS, PODS, SCRAPE, Pod, calm

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
SCRAPES = 14
# What Prometheus writes when a series ends.
STALE = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]
NAMES = {"requests": "app_predictions_total", "latency": "app_prediction_latency_seconds_bucket"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with a namespace for each thing that may happen."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with started(folder) as url:
        for what in HAPPENS:
            write(url, told(what))
        yield url


def told(what: str) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    """The series of pods of which one has that happen to it."""
    scraped, pods = Summing(), [Pod(name, version, 0.4 * place) for place, (name, version) in enumerate(PODS.items())]
    history = calm(SCRAPES)
    history[6][1], history[9][1] = (what, 40), ("return", 40)
    for number, row in enumerate(history):
        for pod, (happens, served) in zip(pods, row, strict=True):
            pod.happen(happens)
            if happens != "lost":
                pod.scrape(scraped, BEGAN + SCRAPE * number + pod.phase, served)
    for key, samples in scraped.series.items():
        labels = dict(key)
        labels |= {
            "__name__": NAMES[labels.pop("name")], "namespace": what, "pod": f"model-service-{labels['version']}-6c4f9d8b71-x001{labels['pod']}",
        }  # fmt: skip
        known = {at for at, _ in samples}
        rows = sorted([*samples, *((at, STALE) for at in set(scraped.stale.get(key, [])) - known)])
        yield labels, np.array([at for at, _ in rows]), np.array([value for _, value in rows])


BEGAN = float(int(time.time())) - 300.0


@contextmanager
def reading(sums: bool) -> Iterator[None]:
    """In sums however few series there are, or in samples however many."""
    least = 1 if sums else 10**9
    with mock.patch.object(summed, "MANY", least), mock.patch.object(summed, "FEWER", 0.0):
        yield


def looks(url: str, source: Source) -> list[Collected | Waiting | str]:
    """What a collector says after each scrape."""
    watch = Collector(Prometheus(url), source, "v1", ["v1", "v2"], SCRAPE)
    said: list[Collected | Waiting | str] = []
    for number in range(SCRAPES):
        try:
            said.append(watch.collect(BEGAN + SCRAPE * number + 2))
        except EvidenceError as error:
            said.append(str(error))
    return said


def past(url: str, source: Source) -> Baseline | str:
    """The stable's past, or why there is none."""
    try:
        return baseline(Prometheus(url), source, "v1", SCRAPE * SCRAPES, BEGAN + SCRAPE * (SCRAPES - 1) + 2)
    except EvidenceError as error:
        return str(error)


@pytest.mark.parametrize("what", HAPPENS)
def test_sums_say_what_the_samples_say(url: str, what: str) -> None:
    source = app_source(what, "model-service", ["v1", "v2"])
    said: list[object] = []
    for sums in (True, False):
        asked: list[str] = []
        ask = Prometheus.vector

        def vector(self: Prometheus, expression: str, at: float, asked: list[str] = asked, ask=ask):  # type: ignore[no-untyped-def]
            asked.append(expression)
            return ask(self, expression, at)

        with reading(sums), mock.patch.object(Prometheus, "vector", vector):
            said.append((looks(url, source), past(url, source)))
        assert any("sum by" in one for one in asked) == sums
    assert said[0] == said[1]
    assert sum(isinstance(one, Collected) for one in said[0][0]) >= SCRAPES // 2  # type: ignore[index]
