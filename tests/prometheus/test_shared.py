"""On a real Prometheus: what many ask together is, for each, what it would have been told alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.evidence.__main__ import prometheus as started
from bench.evidence.service import Labels, write
from bench.shared.services import SCRAPE_S, series
from glidepath.errors import EvidenceError
from glidepath.evidence import Prometheus, Source, app_source, mesh_source
from glidepath.evidence.shared import Shared
from glidepath.evidence.view import View

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
SERVICES = 30
# Names of services and versions, of which some begin as others do, or mean something in a regular expression.
NAMES = ("a", "a-b", "a-b-c", "a.b", "axb", "a|b", "a+", "é", "(", 'q"', "b\\", "a\nb")
LAST = round(time.time()) - 20.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with started(folder) as url:
        write(url, series(SERVICES, LAST - 100, LAST))
        write(url, odd())
        yield url


def odd() -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    """Services with such names, scraped at whole seconds: windows begin just at a sample."""
    times = np.arange(LAST - 100, LAST, SCRAPE_S)
    for number, name in enumerate(NAMES):
        for version in ("v1", "v.1", "v1|v2"):
            labels = {
                "__name__": "app_predictions_total", "namespace": name, "version": version, "status": "success",
                "pod": f"{name}-{version}-6c4f9d8b7{number % 10}-x{number:03d}z", "job": f"odd-{number}",
            }  # fmt: skip
            yield labels, times, np.arange(len(times)) * 7.0 + number
            mesh = {
                "__name__": "istio_requests_total", "reporter": "source", "destination_service_name": name,
                "destination_service_namespace": name, "destination_version": version, "response_code": "200", "pod": "caller",
            }  # fmt: skip
            yield mesh, times, np.arange(len(times)) * 3.0 + number


class Due:
    """One whose look is due."""

    due = 0.0

    def window(self, _at: float) -> float:
        return 18.0


class Asked(Prometheus):
    """Counts its queries, and says what time the test wants."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.queries, self.clock = 0, 0.0

    def rows(self, query: str, at: float) -> list[dict[str, object]]:
        self.queries += 1
        return super().rows(query, at)

    def now(self) -> float:
        return self.clock


def everything() -> list[tuple[Source, float]]:
    """What is asked, and how long a window it takes, seconds."""
    many = [
        (app_source(f"team-{number // 20}", f"shop-{number}", ["v1", "v2"]), 18.0 + number % 3)
        for number in range(SERVICES)
    ]
    for number, name in enumerate(NAMES):
        for make in (app_source, mesh_source):
            many.append((make(name, name, ["v1", "v.1"]), 15.0 + number % 6))
    return many


def test_each_is_told_what_it_would_have_been_told_alone(url: str) -> None:
    asked, due, steady = Asked(url), Due(), [0.0]
    shared, alone = Shared(asked, lambda: steady[0]), Prometheus(url)
    sources = everything()
    views: list[View] = []
    for _ in sources:
        views.append(shared.view(1.0))
        views[-1].serve(due)
    compared = 0
    for beat in range(4):
        steady[0], asked.clock, asked.queries = float(beat), LAST - 40 + 2.5 * beat, 0
        for view, (source, window) in zip(views, sources, strict=True):
            at = view.now()
            for selector in (source.requests, source.latency):
                found = view.range_vector(selector, window, at)
                assert json.dumps([[one.labels, one.samples] for one in found]) == json.dumps(
                    [[one.labels, one.samples] for one in alone.range_vector(selector, window, at)]
                )
                compared += len(found)
    assert compared > 4 * SERVICES * 50
    # In windows that begin just at a sample each asks for itself, once more.
    assert asked.queries < len(sources)


def test_what_one_can_not_ask_is_told_to_nobody_else(url: str) -> None:
    asked, due, steady = Asked(url), Due(), [0.0]
    shared = Shared(asked, lambda: steady[0])
    good = app_source("team-0", "shop-0", ["v1", "v2"]).requests
    texts = [good, 'app_predictions_total{namespace="team-0",pod=~"(",version=~"v1"}']
    views = [shared.view(1.0) for _ in texts]
    for view in views:
        view.serve(due)
    for beat in range(3):
        steady[0], asked.clock = float(beat), LAST - 40 + beat
        assert len(views[0].range_vector(texts[0], 18, views[0].now())) == 6
        with pytest.raises(EvidenceError, match="did not answer the query"):
            views[1].range_vector(texts[1], 18, views[1].now())
