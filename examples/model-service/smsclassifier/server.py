"""The HTTP service: POST /predict, GET /healthz and /readyz; GET /metrics on a port of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from smsclassifier.messages import MAX_BODY, Refusal, check_type, oversized, text_of
from smsclassifier.metrics import Metrics
from smsclassifier.models import Model
from smsclassifier.settings import Settings

log = logging.getLogger("smsclassifier")

Loader = Callable[[Path], Model]


class DependencyError(Exception):
    """The simulated dependency failed."""


class Service:
    """One version of the classifier.

    Args:
        settings: Validated settings.
        load: Reads a model's file.
        rng: Where latencies and failures are drawn from.
    """

    def __init__(self, settings: Settings, load: Loader, rng: random.Random | None = None) -> None:
        self.settings = settings
        self.metrics = Metrics(settings.version, settings.model)
        self._load, self._rng = load, rng or random.Random()
        self._model: Model | None = None
        self._draining = False

    async def start(self) -> None:
        """Load the model; ready afterwards. A slow start is waited for first.

        Raises:
            ModelError: The model can't be loaded.
        """
        await asyncio.sleep(self.settings.fault_slow_start_s)
        path = self.settings.model_folder / f"{self.settings.model}.joblib"
        model = await asyncio.to_thread(self._load, path)
        model.classify("warm up")
        self._model = model
        log.info("ready: version %s, model %s, %s", self.settings.version, model.name, model.scores)

    def drain(self) -> None:
        """Be ready no longer, and ask clients to close their connections; requests are still answered."""
        self._draining = True

    @property
    def not_ready(self) -> str:
        """Why the service is not ready; empty when it is."""
        if self._draining:
            return "shutting down"
        return "" if self._model else "the model is not loaded yet"

    def app(self) -> web.Application:
        """The application of the service port."""
        app = web.Application(middlewares=[self._answer_errors], client_max_size=MAX_BODY)
        app.router.add_post("/predict", self._predict)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.on_response_prepare.append(self._mark)
        return app

    def metrics_app(self) -> web.Application:
        """The application of the metrics port."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _predict(self, request: web.Request) -> web.Response:
        started = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            sms = await self._sms(request)
            if self._model is None:
                self.metrics.answered("none", time.perf_counter() - started)
                return self._error(503, "not_ready", "the model is not loaded yet, try again later")
            try:
                await self._dependency()
                label, confidence = self._classify(self._model, sms)
            except Exception as error:
                self.metrics.answered("none", time.perf_counter() - started)
                if not isinstance(error, DependencyError):
                    log.exception("a message could not be classified")
                return self._error(500, "internal", str(error) or type(error).__name__)
            answer = self._json(
                200, {"label": label, "confidence": round(confidence, 4), "version": self.settings.version}
            )
            self.metrics.answered(label, time.perf_counter() - started)
            return answer

    async def _sms(self, request: web.Request) -> str:
        check_type(request.content_type if request.headers.get("Content-Type") else "")
        try:
            return text_of(await request.read())
        except web.HTTPRequestEntityTooLarge as error:
            raise oversized() from error

    async def _dependency(self) -> None:
        """Stand for a call over the network, say to a feature store: time passes, no CPU, and sometimes it fails."""
        settings = self.settings
        median_s = settings.base_latency_ms / 1000 * settings.fault_latency_factor
        await asyncio.sleep(median_s * math.exp(self._rng.gauss(0, settings.latency_sigma)))
        if self._rng.random() < settings.error_rate:
            raise DependencyError("the dependency did not answer (simulated)")

    def _classify(self, model: Model, sms: str) -> tuple[str, float]:
        label, confidence = model.classify(sms)
        if self.settings.fault_all_ham and label == "spam":
            return "ham", 1 - confidence
        return label, confidence

    async def _alive(self, _: web.Request) -> web.Response:
        return self._json(200, {"status": "alive", "version": self.settings.version})

    async def _ready(self, _: web.Request) -> web.Response:
        why = self.not_ready
        if why:
            return self._error(503, "not_ready", why)
        return self._json(200, {"status": "ready", "version": self.settings.version})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @web.middleware
    async def _answer_errors(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Turn refusals, unknown paths and wrong methods into JSON that says why."""
        try:
            return await handler(request)
        except Refusal as refusal:
            self.metrics.rejected(refusal.reason)
            return self._error(refusal.status, refusal.reason, refusal.message)
        except web.HTTPMethodNotAllowed as wrong:
            allowed = ", ".join(sorted(wrong.allowed_methods))
            self.metrics.rejected("method")
            answer = self._error(405, "method", f"{request.method} {request.path} is not offered, expected {allowed}")
            answer.headers["Allow"] = allowed
            return answer
        except web.HTTPException as other:
            self.metrics.rejected("path" if other.status == 404 else "other")
            known = "POST /predict, GET /healthz, GET /readyz"
            return self._error(other.status, "path", f"{request.path} is not offered, expected {known}")

    async def _mark(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["x-model-version"] = self.settings.version
        if self._draining:
            response.headers["Connection"] = "close"
            response.force_close()

    def _json(self, status: int, body: dict[str, Any]) -> web.Response:
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")

    def _error(self, status: int, reason: str, message: str) -> web.Response:
        return self._json(status, {"error": message, "reason": reason, "version": self.settings.version})
