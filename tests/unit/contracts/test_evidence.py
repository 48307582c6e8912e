"""Evidence of samples in memory keeps the contract that a real Prometheus keeps (`tests/prometheus/test_contract.py`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glidepath.evidence import Evidence, SampledEvidence
from tests.contracts import evidence
from tests.unit.evidence.scraped import Scraped

BEGAN = 10_000.0


@pytest.mark.parametrize("contract", [evidence.keeps, evidence.watches], ids=lambda one: one.__name__)
def test_it_keeps_the_contract(contract: Callable[[Evidence, float], None]) -> None:
    samples = Scraped()
    for at, value, labels in evidence.history(BEGAN):
        samples.add(at, value, **labels)
    contract(SampledEvidence(samples), BEGAN)
