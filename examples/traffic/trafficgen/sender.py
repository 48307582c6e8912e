"""Open loop: when requests are sent does not depend on how the service answers."""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

from trafficgen.counts import Counts
from trafficgen.settings import Settings, SettingsError

log = logging.getLogger("trafficgen")

# Behind by more than this (the machine stalled), due requests are skipped and counted, not sent in one burst.
MAX_BEHIND_S = 1.0


@dataclass(frozen=True)
class Target:
    """Where requests go: a name, a URL, and headers."""

    name: str
    url: str
    headers: dict[str, str]


class Arrivals:
    """Times of a Poisson process on a monotonic clock, seconds.

    Args:
        rate: Arrivals a second, above 0.
        start: The time before the first arrival.
    """

    def __init__(self, rate: float, start: float, rng: random.Random) -> None:
        self.rate, self.next, self._rng = rate, start, rng
        self.advance()

    def advance(self) -> None:
        """Go on to the next arrival: by an exponential gap from the last one, never from now."""
        self.next += self._rng.expovariate(self.rate)

    def skip(self, now: float) -> int:
        """Pass over the arrivals that are due by more than MAX_BEHIND_S, and say how many they were."""
        skipped = 0
        while self.next < now - MAX_BEHIND_S:
            self.advance()
            skipped += 1
        return skipped


class Sender:
    """Sends messages at the rate in force, and counts what came of them."""

    def __init__(self, settings: Settings, bodies: Sequence[bytes], rng: random.Random | None = None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.counts, self.registry = Counts(), CollectorRegistry()
        self.in_flight = 0
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "traffic_requests",
            "Requests by target, version that answered (none: unknown) and status",
            ["target", "version", "status"],
            registry=self.registry,
        )
        self._shed = Counter("traffic_shed", "Requests due but not sent, by why", ["reason"], registry=self.registry)
        Gauge("traffic_in_flight", "Requests on their way", registry=self.registry).set_function(lambda: self.in_flight)
        Gauge("traffic_rate", "Requests a second that are wanted", registry=self.registry).set_function(
            lambda: self.rate
        )
        self._settings, self._bodies, self._rng = settings, bodies, rng or random.Random()
        host = {"Host": settings.gateway_host} if settings.gateway_host else {}
        kind = {"Content-Type": "application/json"}
        self._targets = (
            Target("gateway", settings.gateway_url, kind | host),
            Target("mesh", settings.service_url, kind),
        )
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rate, self._until = settings.rate, time.monotonic() + settings.max_seconds

    @property
    def rate(self) -> float:
        """Requests a second in force; 0 once the time is over."""
        return self._rate if time.monotonic() < self._until else 0.0

    def set_rate(self, rate: float) -> None:
        """Change the rate from now on, and start the time that is allowed anew."""
        self._rate, self._until = rate, time.monotonic() + self._settings.max_seconds
        log.info("rate %g requests/s for at most %g s", rate, self._settings.max_seconds)
        self._changed.set()

    async def run(self) -> None:
        """Send until cancelled."""
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, keepalive_timeout=60)
        limit = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        async with aiohttp.ClientSession(
            connector=connector, timeout=limit, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            try:
                while True:
                    self._changed.clear()
                    await self._send_at(session, self.rate)
            finally:
                for task in self._tasks:
                    task.cancel()

    async def _send_at(self, session: aiohttp.ClientSession, rate: float) -> None:
        """Send at a rate until another one is in force."""
        if rate == 0:
            await self._changed.wait()
            return
        arrivals = Arrivals(rate, time.monotonic(), self._rng)
        while not self._changed.is_set() and self.rate == rate:
            now = time.monotonic()
            if arrivals.next > now:
                await self._sleep(arrivals.next - now)
                continue
            if skipped := arrivals.skip(now):
                self._shed.labels("behind").inc(skipped)
                continue
            self._send(session)
            arrivals.advance()

    async def _sleep(self, seconds: float) -> None:
        # A change of the rate wakes long waits only: at most half a second late, and no second timer for each request.
        await asyncio.sleep(min(seconds, 0.5))

    def _send(self, session: aiohttp.ClientSession) -> None:
        if self.in_flight >= self._settings.max_in_flight:
            self._shed.labels("in_flight").inc()
            return
        target = self._targets[0 if self._rng.random() < self._settings.gateway_share else 1]
        self.in_flight += 1
        task = asyncio.ensure_future(self._one(session, target, self._rng.choice(self._bodies)))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.in_flight -= 1
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request could not be counted: %r", error)

    async def _one(self, session: aiohttp.ClientSession, target: Target, body: bytes) -> None:
        sent, version = time.time(), "none"
        try:
            async with session.post(target.url, data=body, headers=target.headers, allow_redirects=False) as answer:
                version = answer.headers.get("x-model-version", "none")
                await answer.read()
                status = str(answer.status)
        except TimeoutError:
            status = "timeout"
        except (aiohttp.ClientError, OSError) as error:
            status = "connect"
            log.debug("%s: %r", target.url, error)
        self._requests.labels(target.name, version, status).inc()
        self.counts.add(version, status, sent, time.time())


def read_bodies(path: Path) -> list[bytes]:
    """The messages of a CSV with a column `sms`, as bodies of requests.

    Raises:
        SettingsError: There is no such file, column or message.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            bodies = [json.dumps({"sms": row["sms"]}).encode() for row in csv.DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise SettingsError(f"DATA is {path}, which is no CSV with a column sms ({error!r})") from error
    if not bodies:
        raise SettingsError(f"DATA is {path}, which holds no messages")
    return bodies
