"""Calls the service: python3 -m caller. Settings, /rate and /counts are the traffic generator's; a status is a code's name."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any

import grpc
import uvloop
from lookups import METHOD, NAME, StringValue
from trafficgen.__main__ import serve
from trafficgen.sender import Sender, Target
from trafficgen.settings import from_environment

NUMBERS = [b"+31201234567", b"+442071234567", b"+15551234567"]


class Caller(Sender):
    """Sends requests by gRPC, over one connection to the own sidecar."""

    async def run(self) -> None:
        """See `Sender.run`."""
        async with grpc.aio.insecure_channel(os.environ["GRPC_TARGET"]) as channel:
            call = channel.unary_unary(f"/{NAME}/{METHOD}", StringValue.SerializeToString, StringValue.FromString)
            while True:
                self._changed.clear()
                await self._send_at(call, self.rate)

    async def _one(self, session: Any, target: Target, body: bytes) -> None:
        sent = time.time()
        try:
            await session(StringValue(value=body.decode()), timeout=self._settings.timeout_s)
            status = grpc.StatusCode.OK.name
        except grpc.aio.AioRpcError as error:
            status = error.code().name
        self._requests.labels(target.name, "none", status).inc()
        self.counts.add("none", status, sent, time.time())


def main() -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    uvloop.run(serve(from_environment(os.environ), NUMBERS, Caller))


if __name__ == "__main__":
    main()
