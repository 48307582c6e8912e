"""A real proxy process between Glidepath and what it calls, on loopback, that can be told to misbehave.

`python -m tests.faults.interposer SETTINGS.json` with, for each side, `listen`, `upstream`, and for TLS `cert`, `key`
and `ca`; and `control`, the port where `POST /SIDE` says what is wrong from now on (`null`: nothing) and `GET /SIDE`
says how many requests were met by it.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host", "content-length"}
REASONS = {409: "Conflict", 429: "TooManyRequests", 500: "InternalError"}


class Side:
    """One listening end and what stands behind it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.upstream = str(settings["upstream"]).rstrip("/")
        self.port = int(settings["listen"])
        self.tls: ssl.SSLContext | None = None
        self.trust: ssl.SSLContext | bool = True
        if "cert" in settings:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(settings["cert"], settings["key"])
            self.trust = ssl.create_default_context(cafile=settings["ca"])
        self.wrong: dict[str, Any] = {}
        self.hits = 0
        self.healed = asyncio.Event()
        self.site: web.TCPSite | None = None

    async def start(self) -> None:
        """Listen, and be ready to call."""
        self.session = ClientSession(
            connector=TCPConnector(ssl=self.trust, limit=0), auto_decompress=False, timeout=ClientTimeout(total=None)
        )
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self.handle)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        self.site = web.TCPSite(self.runner, "127.0.0.1", self.port, ssl_context=self.tls, reuse_address=True)
        await self.site.start()

    async def misbehave(self, wrong: dict[str, Any]) -> None:
        """From now on this is wrong; empty: nothing. What was held goes on."""
        self.healed.set()
        self.healed, self.hits, self.wrong = asyncio.Event(), 0, wrong
        refuse = wrong.get("mode") == "refuse"
        if refuse and self.site is not None:
            await self.site.stop()
            self.site = None
        elif not refuse and self.site is None:
            await self._listen()

    def _met(self, request: web.Request) -> bool:
        if not self.wrong:
            return False
        verbs, agent = self.wrong.get("verbs"), request.headers.get("User-Agent", "")
        return (
            (not verbs or request.method in verbs)
            and re.search(self.wrong.get("path", ""), request.path) is not None
            and re.search(self.wrong.get("agent", ""), agent) is not None
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, or do to it what is wrong now."""
        body = await request.read()
        if not self._met(request):
            return await self._pass(request, body)
        self.hits += 1
        mode, healed = str(self.wrong["mode"]), self.healed
        if mode == "refuse":
            return _cut(request)
        if mode == "hang":
            await healed.wait()
            return _cut(request)
        if mode == "hold":
            await healed.wait()
            return await self._pass(request, body)
        if mode == "lost":
            with suppress(ClientError, OSError):
                await self._ask(request, body)
            return _cut(request)
        if mode == "slow":
            await asyncio.sleep(float(self.wrong["seconds"]))
            return await self._pass(request, body)
        if mode.isdigit():
            return _status(int(mode))
        return await self._bent(request, body)

    async def _ask(
        self, request: web.Request, body: bytes, other: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP} | (other or {})
        url = f"{self.upstream}{request.raw_path}"
        async with self.session.request(request.method, url, data=body or None, headers=headers) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in HOP}
            return answer.status, kept, await answer.read()

    async def _pass(self, request: web.Request, body: bytes) -> web.StreamResponse:
        try:
            if "watch" not in request.query:
                status, headers, answer = await self._ask(request, body)
                return web.Response(status=status, headers=headers, body=answer)
            return await self._stream(request)
        except (ClientError, OSError):
            return _cut(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP}
        async with self.session.request("GET", f"{self.upstream}{request.raw_path}", headers=headers) as answer:
            told = web.StreamResponse(status=answer.status)
            told.headers["Content-Type"] = answer.headers.get("Content-Type", "application/json")
            await told.prepare(request)
            async for chunk in answer.content.iter_any():
                await told.write(chunk)
            return told

    async def _bent(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Prometheus' answer with its samples bent: nan, empty, stale, duplicate."""
        try:
            status, headers, raw = await self._ask(request, body, {"Accept-Encoding": "identity"})
        except (ClientError, OSError):
            return _cut(request)
        told = json.loads(raw)
        data = told.get("data") or {}
        if data.get("resultType") in ("matrix", "vector") and not _is_time(request, body):
            data["result"] = bend(str(self.wrong["mode"]), data["result"], float(self.wrong.get("since", time.time())))
        headers.pop("Content-Encoding", None)
        return web.Response(status=status, headers=headers, body=json.dumps(told).encode())


def _is_time(request: web.Request, body: bytes) -> bool:
    query = dict(parse_qsl(body.decode(errors="replace"))) | dict(request.query)
    return query.get("query") == "time()"


def bend(mode: str, result: list[dict[str, Any]], since: float) -> list[dict[str, Any]]:
    """The series of an answer, made wrong.

    Args:
        mode: `nan` (each value), `empty` (no series), `stale` (no sample after `since`), `duplicate` (each series
            twice, as when a pod is scraped by two jobs).
        result: The series.
        since: Epoch seconds.
    """
    if mode == "empty":
        return []
    if mode == "duplicate":
        again = [{**one, "metric": {**one["metric"], "job": f"{one['metric'].get('job', '')}-again"}} for one in result]
        return result + again
    kept = []
    for one in result:
        values = one.get("values") or [one["value"]]
        if mode == "nan":
            values = [[at, "NaN"] for at, _ in values]
        elif mode == "stale":
            values = [[at, value] for at, value in values if float(at) <= since]
        else:
            raise ValueError(f"mode {mode!r} is not known")
        if values:
            kept.append({**one, "values": values} if "values" in one else {**one, "value": values[-1]})
    return kept


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def _status(status: int) -> web.Response:
    """A refusal as the Kubernetes API words it."""
    body = {
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
        "reason": REASONS.get(status, ""), "message": f"the interposer was told to answer {status}",
    }  # fmt: skip
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response(body, status=status, headers=headers)


async def serve(settings: dict[str, Any]) -> None:
    """Serve all sides until ended."""
    sides = {name: Side(one) for name, one in settings["sides"].items()}
    for side in sides.values():
        await side.start()

    async def control(request: web.Request) -> web.Response:
        side = sides[request.match_info["side"]]
        if request.method == "POST":
            await side.misbehave(await request.json() or {})
        return web.json_response({"wrong": side.wrong, "hits": side.hits})

    app = web.Application()
    app.router.add_route("*", "/{side}", control)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(settings["control"])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
