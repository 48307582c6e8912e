"""The application: POST /lengths and GET /healthz. What it counts goes to Prometheus by OTLP; there is no page to scrape."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from pathlib import Path

from fastapi import FastAPI, HTTPException
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from pydantic import BaseModel

NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
# What another service takes to answer, seconds: a gamma distribution of this shape.
MEAN_S, SHAPE = 0.055, 4.0
# What is wrong with a version that is to be taken back.
ERROR_RATE = float(os.environ.get("FAULT_ERROR_RATE") or 0)
LATENCY_FACTOR = float(os.environ.get("FAULT_LATENCY_FACTOR") or 1)


def meters() -> MeterProvider:
    """Sends what is counted as this pod's. Where to and how often: OTEL_EXPORTER_OTLP_..., OTEL_METRIC_EXPORT_INTERVAL."""
    pod = {"service.name": "lengths", "k8s.pod.name": socket.gethostname()}
    namespace = {"k8s.namespace.name": NAMESPACE.read_text()} if NAMESPACE.exists() else {}
    return MeterProvider(
        [PeriodicExportingMetricReader(OTLPMetricExporter())], resource=Resource.create(pod | namespace)
    )


app = FastAPI()
FastAPIInstrumentor.instrument_app(app, meter_provider=meters())


class Message(BaseModel):
    """A text message."""

    sms: str


@app.post("/lengths")
async def lengths(message: Message) -> dict[str, int]:
    """How long a message is."""
    await asyncio.sleep(random.gammavariate(SHAPE, MEAN_S * LATENCY_FACTOR / SHAPE))
    if random.random() < ERROR_RATE:
        raise HTTPException(503, "the other service does not answer")
    return {"characters": len(message.sms), "bytes": len(message.sms.encode())}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}
