"""Every query of the dashboards and rules, asked of a real Prometheus that has what a watchdog told of real releases.

Of them one is taken back, one goes blind and is lost, so that the watchdog takes it back, and one is promoted: there is
nothing that a panel asks for and was not told at some time. `ab-testing` asks a service's own metrics: `tests/e2e/test_dashboard.py`.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bench.evidence.__main__ import prometheus as started
from bench.evidence.service import Labels, write
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from glidepath.watchdog.server import render
from rig.dashboards import dashboard_queries, substituted
from rig.environment import REPO
from tests.support.apiserver import NAMESPACE, ApiServer
from tests.support.guards import ticks
from tests.support.releases import promoted, taken_back, undecided
from tests.support.stage import Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
SCRAPE_S = 5
BOARDS = ("release", "decision", "fleet")
VARIABLES = {"namespace": NAMESPACE, "service": "prices", "metric": "errors", "canary": ".*"}
RULES = yaml.safe_load((REPO / "include/alerts/glidepath.yaml").read_text())["groups"][0]["rules"]
# What these tell of did not happen here.
QUIET = {"ReleaseStuck", "ReleaseNotLookedAt", "WatchdogNotLooking"}


# What Prometheus writes where a scrape no longer has a series.
STALE = float(np.array(0x7FF0000000000002, dtype="<u8").view("<f8"))


class Scraped:
    """What a watchdog told of a stage, at each scrape."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.facts, self.told = stage, Health(), list[tuple[float, str]]()
        self.watchdog = Watchdog(
            stage.server.api(), NAMESPACE, self.facts, now=lambda: stage.clock, monotonic=lambda: stage.clock
        )
        traffic = stage.traffic

        def scraped(*given: Any, **served: Any) -> Any:
            done = traffic(*given, **served)
            self.look()
            return done

        stage.traffic = scraped  # type: ignore[method-assign]

    def look(self) -> None:
        """A pass, and a scrape."""
        self.watchdog.look()
        self.facts.passed = self.stage.clock
        self.told.append((self.stage.clock, render(self.facts, self.stage.clock + 0.5)))

    def waits(self, seconds: int) -> None:
        """Nothing happens for so long, but that v1 has its traffic."""
        for _ in range(0, seconds, SCRAPE_S):
            self.stage.clock += SCRAPE_S
            self.stage.prometheus.scrape("v1", 500, 2)
            self.look()

    def series(self, later: float) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
        """The samples as Prometheus keeps those of scrapes, as if all had been so many seconds later."""
        kept: defaultdict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
        there: set[tuple[tuple[str, str], ...]] = set()
        for at, text in self.told:
            now = dict(self._samples(text, later))
            for labels in there - now.keys():
                kept[labels].append((at + later, STALE))
            for labels, value in now.items():
                kept[labels].append((at + later, value))
            there = set(now)
        for labels, rows in kept.items():
            times, values = np.array(rows).T
            yield dict(labels), times, values

    def _samples(self, text: str, later: float) -> Iterator[tuple[tuple[tuple[str, str], ...], float]]:
        target = {"job": "watchdog", "instance": "watchdog:8080", "namespace": NAMESPACE}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = {"__name__": sample.name} | target | sample.labels
                yield tuple(labels.items()), sample.value + later * sample.name.endswith("_timestamp_seconds")


def play(scraped: Scraped) -> None:
    """The releases."""
    stage = scraped.stage
    scraped.waits(30)
    taken_back(stage)
    scraped.waits(60)
    lost = undecided(stage)
    ticks(stage, lost.guard, 4)
    stage.prometheus.down = NotAnsweredError("Prometheus is away")
    for _ in range(4):
        scraped.waits(SCRAPE_S)
        lost.guard.tick()
    stage.prometheus.down = None
    scraped.waits(200)  # nobody renews
    promoted(stage)
    scraped.waits(60)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float, float]]:
    """Where Prometheus is, and when the first and the last scrape were."""
    folder: Path = tmp_path_factory.mktemp("dashboards")
    with pytest.MonkeyPatch.context() as patch, ApiServer() as server:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        scraped = Scraped(Stage(server, folder))
        play(scraped)
    later = math.floor(time.time()) - scraped.told[-1][0] - 10
    with started(folder) as url:
        write(url, scraped.series(later))
        yield url, scraped.told[0][0] + later, scraped.told[-1][0] + later


def answers(asked: tuple[str, float, float], query: str) -> list[float]:
    """All numbers that a panel with this query would draw."""
    url, first, last = asked
    given: dict[str, Any] = {"query": query, "start": first, "end": last, "step": SCRAPE_S}
    answer = requests.get(f"{url}/api/v1/query_range", params=given, timeout=30).json()
    assert answer["status"] == "success", answer
    values = [float(value) for row in answer["data"]["result"] for _, value in row["values"]]
    return [value for value in values if not math.isnan(value)]


def queries() -> Iterator[tuple[str, str]]:
    """Each with where it stands: panels and annotations."""
    for name in BOARDS:
        path = REPO / f"include/dashboards/{name}.json"
        for number, (panel, query) in enumerate(dashboard_queries(path, VARIABLES)):
            yield f"{name}: {panel} ({number})", query
        for one in json.loads(path.read_text())["annotations"]["list"]:
            yield f"{name}: {one['name']}", substituted(one["expr"], VARIABLES)


EVERY = dict(queries())


@pytest.mark.parametrize("place", EVERY)
def test_a_query_is_answered(asked: tuple[str, float, float], place: str) -> None:
    values = answers(asked, EVERY[place])
    assert values, f"{place}: never anything for {EVERY[place]}"
    if "or vector(0)" in EVERY[place]:
        assert max(values) > 0, f"{place}: nothing was counted, and that is shown as none"


def test_what_is_counted_is_what_happened(asked: tuple[str, float, float]) -> None:
    ended = 'glidepath_release_ended_total{{outcome="{}"}}'
    for query, count in (
        (ended.format("promoted"), 1),
        (ended.format("rolled_back"), 1),
        ("glidepath_watchdog_brakes_total", 1),
    ):
        assert answers(asked, f"increase({query}[24h])")[-1] == pytest.approx(count, rel=0.05), query


@pytest.mark.parametrize("variable", ["namespace", "service", "metric"])
def test_a_variable_has_its_choices(asked: tuple[str, float, float], variable: str) -> None:
    boards = [json.loads((REPO / f"include/dashboards/{name}.json").read_text()) for name in BOARDS]
    wanted = {
        one["query"]["query"] for board in boards for one in board["templating"]["list"] if one["name"] == variable
    }
    assert wanted
    for query in wanted:
        selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        given = {"match[]": substituted(selector, VARIABLES), "start": asked[1], "end": asked[2]}
        told = requests.get(f"{asked[0]}/api/v1/label/{label}/values", params=given, timeout=10).json()["data"]
        assert VARIABLES[variable] in told, query


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_is_understood_and_fires_where_it_should(asked: tuple[str, float, float], rule: dict[str, Any]) -> None:
    assert bool(answers(asked, rule["expr"])) == (rule["alert"] not in QUIET)
