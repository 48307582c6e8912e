"""What the watchdog tells about itself over HTTP."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from glidepath.watchdog.facts import Health
from glidepath.watchdog.server import health, render, serve


class Told:
    """A running server, its facts and its clock."""

    def __init__(self) -> None:
        self.facts, self.at = Health(), 100.0
        self.http = serve(self.facts, 0, lambda: self.at)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http.server_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def told() -> Iterator[Told]:
    one = Told()
    yield one
    one.http.shutdown()
    one.http.server_close()


def test_it_is_not_healthy_before_its_first_pass(told: Told) -> None:
    assert told.get("/healthz") == (503, "no pass has succeeded yet\n")


def test_it_is_healthy_for_fifteen_seconds_after_a_pass(told: Told) -> None:
    told.facts.passed = 100.0
    told.at = 115.0
    assert told.get("/healthz") == (200, "last pass succeeded 15.0 s ago, expected at most 15 s\n")
    told.at = 115.1
    assert told.get("/healthz")[0] == 503


def test_an_unknown_path_says_what_there_is(told: Told) -> None:
    assert told.get("/") == (404, "GET /healthz or /metrics\n")


def test_metrics_are_in_the_text_format(told: Told) -> None:
    told.facts.brakes["prices"] = 2
    told.facts.brakes["carts"] += 0
    told.facts.errors["prices"] = 3
    told.facts.claims = {"a": {"held": 2, "expired": 0, "free": 1}, "b": {"held": 1, "expired": 1, "free": 0}}
    told.facts.passed = 97.5
    status, text = told.get("/metrics")
    own, _, _ = text.partition("# HELP glidepath_release_info")
    assert (status, own) == (
        200,
        "# HELP glidepath_watchdog_brakes_total Releases whose traffic was put back on stable.\n"
        "# TYPE glidepath_watchdog_brakes_total counter\n"
        'glidepath_watchdog_brakes_total{service="carts"} 0\n'
        'glidepath_watchdog_brakes_total{service="prices"} 2\n'
        "# HELP glidepath_watchdog_errors_total Failures in dealing with a service's claim.\n"
        "# TYPE glidepath_watchdog_errors_total counter\n"
        'glidepath_watchdog_errors_total{service="prices"} 3\n'
        "# HELP glidepath_watchdog_claims Claims by state.\n"
        "# TYPE glidepath_watchdog_claims gauge\n"
        'glidepath_watchdog_claims{state="expired"} 1\n'
        'glidepath_watchdog_claims{state="free"} 1\n'
        'glidepath_watchdog_claims{state="held"} 3\n'
        "# HELP glidepath_watchdog_last_pass_age_seconds Seconds since a pass succeeded.\n"
        "# TYPE glidepath_watchdog_last_pass_age_seconds gauge\n"
        "glidepath_watchdog_last_pass_age_seconds 2.5\n",
    )


def test_nothing_seen_yet_is_told_as_no_claims() -> None:
    assert 'glidepath_watchdog_claims{state="held"} 0\n' in render(Health(), 0.0)
    assert health(Health(), 0.0) == (False, "no pass has succeeded yet")


def test_large_counts_are_told_in_full() -> None:
    assert 'brakes_total{service="prices"} 12345678\n' in render(Health(brakes=Counter(prices=12345678)), 0.0)
