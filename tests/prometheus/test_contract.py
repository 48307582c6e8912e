"""Evidence of a real Prometheus keeps its port's contract."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.evidence.__main__ import prometheus as started
from bench.evidence.service import Labels, write
from glidepath.evidence import Evidence, Prometheus, SampledEvidence
from tests.contracts import evidence

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
NAMES = {"requests": "app_predictions_total", "latency": "app_prediction_latency_seconds_bucket"}


def series(began: float) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    """The history as Prometheus has it."""
    found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for at, value, labels in evidence.history(began):
        found.setdefault(tuple(sorted(labels.items())), []).append((at, value))
    for key, samples in found.items():
        labels = dict(key)
        labels |= {"__name__": NAMES[labels.pop("name")], "namespace": evidence.NAMESPACE}
        yield labels, np.array([at for at, _ in samples]), np.array([value for _, value in samples])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float]]:
    """Its URL, and when the history began."""
    began = float(int(time.time())) - evidence.SCRAPE * evidence.SCRAPES
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with started(folder) as url:
        write(url, series(began))
        yield url, began


@pytest.mark.parametrize("contract", [evidence.keeps, evidence.watches], ids=lambda one: one.__name__)
def test_it_keeps_the_contract(place: tuple[str, float], contract: Callable[[Evidence, float], None]) -> None:
    url, began = place
    contract(SampledEvidence(Prometheus(url)), began)
