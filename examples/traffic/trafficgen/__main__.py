"""Run the generator: python3 -m trafficgen. Settings come from the environment, see settings.py."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

import uvloop
from aiohttp import web

from trafficgen.api import application
from trafficgen.sender import Sender, read_bodies
from trafficgen.settings import Settings, SettingsError, from_environment

log = logging.getLogger("trafficgen")


async def serve(
    settings: Settings, bodies: Sequence[bytes], made: Callable[[Settings, Sequence[bytes]], Sender] = Sender
) -> None:
    """Send, by a sender that is made here, and answer until SIGTERM or SIGINT.

    Raises:
        OSError: The port is taken.
    """
    sender = made(settings, bodies)
    runner = web.AppRunner(application(sender), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", settings.port).start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("%d messages; %s", len(bodies), settings)
    sending, stopping = asyncio.ensure_future(sender.run()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    sending.cancel()
    await runner.cleanup()
    if not stop.is_set():
        await sending  # it ended by itself, which it never should: raises why


def main() -> int:
    """Run; the exit code is 2 for bad settings, 1 for a taken port."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    try:
        settings = from_environment(os.environ)
        bodies = read_bodies(settings.data)
    except SettingsError as error:
        log.error("%s", error)
        return 2
    try:
        uvloop.run(serve(settings, bodies))
    except OSError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
