from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from trafficgen.api import application
from trafficgen.counts import KEPT_S, Counts, is_error
from trafficgen.sender import Arrivals, Sender, read_bodies
from trafficgen.settings import Settings, SettingsError, from_environment, rate_of

BODIES = [b'{"sms": "hi"}']


def test_arrivals_are_a_poisson_process() -> None:
    arrivals = Arrivals(100, 0.0, random.Random(2))
    times = []
    while arrivals.next < 200:
        times.append(arrivals.next)
        arrivals.advance()
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == pytest.approx(20_000, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(statistics.mean(gaps), rel=0.03), "exponential gaps"
    counts = [sum(1 for t in times if second <= t < second + 1) for second in range(0, 200, 10)]
    assert 0.3 < statistics.variance(counts) / statistics.mean(counts) < 2


def test_arrivals_do_not_wait_for_the_clock() -> None:
    arrivals = Arrivals(100, 0.0, random.Random(2))
    first = arrivals.next
    arrivals.advance()
    assert arrivals.next > first
    skipped = arrivals.skip(11.0)
    assert skipped == pytest.approx(1000, rel=0.15)
    assert 10 <= arrivals.next < 10.2


@pytest.mark.parametrize(
    ("status", "error"), [("200", False), ("204", False), ("500", True), ("404", True), ("timeout", True), ("2", True)]
)
def test_what_is_an_error(status: str, error: bool) -> None:
    assert is_error(status) == error


def test_window_of_counts() -> None:
    counts = Counts()
    start = 1_700_000_000.0
    for i in range(100):
        counts.add(
            "v2" if i % 10 == 0 else "v1", "500" if i == 50 else "200", start + i * 0.05, start + i * 0.05 + 0.06
        )
    told = counts.window(start, start + 60)
    assert told["v1"]["requests"] == 90
    assert (told["v2"]["requests"], told["v2"]["errors"], told["v2"]["statuses"]) == (10, 1, {"200": 9, "500": 1})
    assert told["v2"]["first"] == 1_700_000_000_000
    assert told["v2"]["last"] == 1_700_000_004_500
    assert told["v2"]["last_answered"] == 1_700_000_004_560
    assert counts.window(start + 1, start + 2)["v1"]["requests"] == 18
    assert counts.window(start + 100, start + 200) == {}
    assert counts.window(start + 2, start + 1) == {}


@given(
    sent=st.lists(st.floats(0, 50), max_size=60),
    cuts=st.tuples(st.integers(0, 500), st.integers(0, 500)),
)
def test_windows_add_up(sent: list[float], cuts: tuple[int, int]) -> None:
    counts = Counts()
    for one in sent:
        counts.add("v1", "200", 1e9 + one, 1e9 + one)
    low, high = (1e9 + cut / 10 for cut in sorted(cuts))
    parts = [
        counts.window(*edge).get("v1", {"requests": 0})["requests"] for edge in ((0, low), (low, high), (high, 2e9))
    ]
    assert sum(parts) == len(sent)


def test_two_hours_are_kept() -> None:
    counts = Counts()
    for hour in range(5):
        counts.add("v1", "200", 1e9 + 3600 * hour, 1e9 + 3600 * hour)
    assert counts.window(0, 2e9)["v1"]["requests"] == 1 + KEPT_S / 3600


def answering(handler: web.Handler, body: object, **environment: str) -> None:  # type: ignore[name-defined]
    """Run a body with a sender against a server, and the sender's own application."""

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/predict", handler)
        async with TestServer(app) as server:
            url = str(server.make_url("/predict"))
            settings = from_environment({"GATEWAY_URL": url, "SERVICE_URL": url} | environment)
            sender = Sender(settings, BODIES, random.Random(4))
            async with TestClient(TestServer(application(sender))) as client:
                task = asyncio.ensure_future(sender.run())
                try:
                    await body(client, sender)  # type: ignore[operator]
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


async def until(holds: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait until something holds, however slow the machine is.

    Raises:
        AssertionError: It does not within `timeout_s`.
    """
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < timeout_s, "it did not come to that in time"
        await asyncio.sleep(0.01)


def answered(sender: Sender, version: str, status: str = "200") -> int:
    """How many requests a version has answered with a status."""
    return int(sender.counts.window(0, 1e10).get(version, {"statuses": {}})["statuses"].get(status, 0))


async def still(sender: Sender) -> None:
    """Nothing is sent any more: what was on its way is answered, and for the time of many requests no other is."""
    await until(lambda: sender.in_flight == 0)
    told = sender.counts.window(0, 1e10)
    await asyncio.sleep(0.3)
    assert (sender.in_flight, sender.counts.window(0, 1e10)) == (0, told)


async def good(request: web.Request) -> web.Response:
    assert (await request.json()) == {"sms": "hi"}
    return web.json_response({}, headers={"x-model-version": "v1"})


def test_counts_by_version_status_and_target() -> None:
    async def body(client: TestClient, sender: Sender) -> None:
        began = time.monotonic()
        await until(lambda: answered(sender, "v1") > 30)
        told = await (await client.get("/counts")).json()
        assert set(told) == {"v1"}
        assert told["v1"]["errors"] == 0
        assert told["v1"]["requests"] < 60 + 2 * 200 * (time.monotonic() - began)
        text = await (await client.get("/metrics")).text()
        assert 'traffic_requests_total{status="200",target="gateway",version="v1"}' in text
        assert 'traffic_requests_total{status="200",target="mesh",version="v1"}' in text
        later = time.time() + 100
        assert await (await client.get("/counts", params={"since": str(later)})).json() == {}

    answering(good, body, RATE="200", GATEWAY_SHARE="0.5")


def test_a_slow_server_does_not_slow_the_arrivals() -> None:
    arrived = 0

    async def slow(_: web.Request) -> web.Response:
        nonlocal arrived
        arrived += 1
        await asyncio.sleep(30)
        return web.Response()

    async def body(_: TestClient, sender: Sender) -> None:
        # A closed loop would have stopped at its first requests.
        await until(lambda: arrived > 60 and sender.in_flight > 40)
        await until(lambda: answered(sender, "none", "timeout") > 10)

    answering(slow, body, RATE="100", TIMEOUT_S="0.6")


def test_what_is_too_much_is_shed_and_counted() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def body(client: TestClient, sender: Sender) -> None:
        await until(lambda: sender.in_flight == 5)
        await until(lambda: (sender.registry.get_sample_value("traffic_shed_total", {"reason": "in_flight"}) or 0) > 5)
        assert sender.in_flight <= 5
        assert 'traffic_shed_total{reason="in_flight"}' in await (await client.get("/metrics")).text()

    answering(slow, body, RATE="200", MAX_IN_FLIGHT="5")


def test_errors_keep_their_version_and_no_answer_has_none() -> None:
    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=500, headers={"x-model-version": "v3"})

    async def body(client: TestClient, sender: Sender) -> None:
        await until(lambda: answered(sender, "v3", "500") > 5 and answered(sender, "none", "connect") > 5)
        told = await (await client.get("/counts")).json()
        assert told["v3"]["errors"] == told["v3"]["requests"] == told["v3"]["statuses"]["500"]
        assert told["none"]["statuses"].keys() == {"connect"}

    answering(failing, body, RATE="200", SERVICE_URL="http://127.0.0.1:9/predict", GATEWAY_SHARE="0.5")


def test_the_rate_can_be_changed() -> None:
    async def body(client: TestClient, sender: Sender) -> None:
        assert sender.rate == 0
        answer = await client.post("/rate", json={"rate": 200})
        assert (answer.status, await answer.json()) == (200, {"rate": 200})
        await until(lambda: answered(sender, "v1") > 20)
        assert (await client.post("/rate", json={"rate": 0})).status == 200
        await still(sender)

    answering(good, body, RATE="0")


def test_sending_ends_in_time() -> None:
    async def body(client: TestClient, sender: Sender) -> None:
        await until(lambda: sender.rate == 0)
        await still(sender)
        assert (await (await client.get("/healthz")).json())["status"] == "alive"

    answering(good, body, RATE="50", MAX_SECONDS="1")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"rate": -1}',
        b'{"rate": 501}',
        b'{"rate": "80"}',
        b'{"rate": true}',
        b'{"rate": NaN}',
        b'{"rate": 1, "x": 2}',
    ],
)
def test_bad_rates_are_refused(body: bytes) -> None:
    async def run(client: TestClient, sender: Sender) -> None:
        answer = await client.post("/rate", data=body)
        assert answer.status == 400
        assert (await answer.json())["error"]
        assert sender.rate == 0

    answering(good, run, RATE="0")


@pytest.mark.parametrize("query", ["since=yesterday", "until=-1", "since=nan", "since=1700000000000"])
def test_bad_times_are_refused(query: str) -> None:
    async def run(client: TestClient, _: Sender) -> None:
        answer = await client.get(f"/counts?{query}")
        assert answer.status == 400
        assert "expected a time in epoch seconds" in (await answer.json())["error"]

    answering(good, run, RATE="0")


@pytest.mark.parametrize(
    ("environment", "match"),
    [
        ({"RATE": "501"}, "RATE is '501', expected a number from 0 to 500"),
        ({"RATE": "fast"}, "RATE is 'fast'"),
        ({"GATEWAY_SHARE": "80"}, "from 0 to 1"),
        ({"GATEWAY_URL": "gateway"}, "GATEWAY_URL is 'gateway', expected a URL"),
        ({"MAX_SECONDS": "0"}, "MAX_SECONDS is '0'"),
    ],
)
def test_bad_settings_are_named(environment: dict[str, str], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        from_environment(environment)


def test_default_settings() -> None:
    assert from_environment({}) == Settings()
    assert rate_of({"rate": 80}) == 80


def test_bodies_are_read_from_the_data_set(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('label,sms\nham,"a ""b"""\n')
    assert read_bodies(tmp_path / "a.csv") == [b'{"sms": "a \\"b\\""}']
    with pytest.raises(SettingsError, match="no CSV with a column sms"):
        read_bodies(tmp_path / "b.csv")
