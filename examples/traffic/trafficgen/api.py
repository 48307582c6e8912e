"""The generator's own HTTP: GET /metrics, /counts and /healthz, POST /rate."""

from __future__ import annotations

import json
import math
import time

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from trafficgen.sender import Sender
from trafficgen.settings import SettingsError, rate_of


def application(sender: Sender) -> web.Application:
    """The application of the generator's port."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(sender.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def counts(request: web.Request) -> web.Response:
        try:
            since, until = _time(request, "since", 0.0), _time(request, "until", time.time() + 1)
        except SettingsError as error:
            return _refused(error)
        return web.json_response(sender.counts.window(since, until))

    async def rate(request: web.Request) -> web.Response:
        try:
            sender.set_rate(rate_of(json.loads(await request.read())))
        except (SettingsError, ValueError, RecursionError) as error:
            return _refused(error)
        return web.json_response({"rate": sender.rate})

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "rate": sender.rate, "in_flight": sender.in_flight})

    app = web.Application(client_max_size=4096)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/counts", counts)
    app.router.add_get("/healthz", alive)
    app.router.add_post("/rate", rate)
    return app


def _refused(error: Exception) -> web.Response:
    return web.json_response({"error": str(error)}, status=400)


def _time(request: web.Request, name: str, default: float) -> float:
    """A time of the query, epoch seconds.

    Raises:
        SettingsError: It is no time.
    """
    given = request.query.get(name, "")
    try:
        value = float(given) if given else default
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e11:
        raise SettingsError(f"{name} is {given!r}, expected a time in epoch seconds")
    return value
