"""Run the service: python3 -m smsclassifier. Settings come from the environment, see settings.py."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

import uvloop
from aiohttp import web

from smsclassifier.models import ModelError, load
from smsclassifier.server import Service
from smsclassifier.settings import Settings, SettingsError, from_environment

log = logging.getLogger("smsclassifier")
# Longer than Envoy keeps an idle connection (1 h): closing first would meet requests on their way, seen as 503.
KEEP_ALIVE_S = 3700
IN_FLIGHT_S = 15


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then drain, finish what is in flight, and return.

    Raises:
        ModelError: The model can't be loaded.
        OSError: A port is taken.
    """
    service = Service(settings, load)
    runners = [
        web.AppRunner(app, access_log=None, keepalive_timeout=KEEP_ALIVE_S, shutdown_timeout=IN_FLIGHT_S)
        for app in (service.app(), service.metrics_app())
    ]
    for runner, port in zip(runners, (settings.port, settings.metrics_port), strict=True):
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", port, backlog=512).start()
    log.info("alive on %d, metrics on %d; faults: %s", settings.port, settings.metrics_port, settings.faults)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    starting, stopping = asyncio.ensure_future(service.start()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
        await stopping
    else:
        starting.cancel()
    service.drain()
    log.info("draining for %g s, then finishing what is in flight", settings.drain_s)
    await asyncio.sleep(settings.drain_s)
    for runner in runners:
        await runner.cleanup()
    log.info("stopped")


def main() -> int:
    """Run; the exit code is 2 for bad settings, 1 for a model that can't be loaded or a taken port."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    try:
        settings = from_environment(os.environ)
    except SettingsError as error:
        log.error("%s", error)
        return 2
    try:
        uvloop.run(serve(settings))
    except (ModelError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
