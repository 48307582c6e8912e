"""Evidence of samples in memory keeps the contract that a real Prometheus keeps (`tests/prometheus/test_contract.py`).

Read as whole series, asked in PromQL, and shared by all who watch.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glidepath.evidence import Evidence, SampledEvidence
from glidepath.evidence.shared import Shared
from tests.contracts import evidence
from tests.unit.evidence.scraped import Scraped
from tests.unit.evidence.stored import Labels, Stored

BEGAN = 10_000.0
NAMES = {"requests": "app_predictions_total", "latency": "app_prediction_latency_seconds_bucket"}


def scraped() -> Evidence:
    """Of samples as they were scraped."""
    samples = Scraped()
    for at, value, labels in evidence.history(BEGAN):
        samples.add(at, value, **labels)
    return SampledEvidence(samples)


def stored() -> Stored:
    """The same where PromQL is answered."""
    series: dict[tuple[tuple[str, str], ...], tuple[Labels, list[tuple[int, float]]]] = {}
    for at, value, labels in evidence.history(BEGAN):
        named = {**labels, "namespace": evidence.NAMESPACE, "__name__": NAMES[labels["name"]]}
        del named["name"]
        series.setdefault(tuple(sorted(named.items())), (named, []))[1].append((round(1000 * at), value))
    return Stored(list(series.values()), BEGAN + evidence.SCRAPE * evidence.SCRAPES)


def asked() -> Evidence:
    """By queries."""
    return SampledEvidence(stored())


def shared() -> Evidence:
    """By queries that all who watch share."""
    samples = stored()
    return SampledEvidence(samples, Shared(samples, lambda: 0.0))


@pytest.mark.parametrize("made", [scraped, asked, shared], ids=lambda one: one.__name__)
@pytest.mark.parametrize("contract", [evidence.keeps, evidence.watches], ids=lambda one: one.__name__)
def test_it_keeps_the_contract(made: Callable[[], Evidence], contract: Callable[[Evidence, float], None]) -> None:
    contract(made(), BEGAN)
