"""The application: POST /segments, GET /healthz, GET /metrics, all on one port."""

from __future__ import annotations

import asyncio
import os
import random

from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel

# Characters in a message of one segment, and in each of several: GSM 03.38's alphabet, and UCS-2 for all else.
GSM, UCS2 = (160, 153), (70, 67)
# What a price list takes to answer, seconds: a gamma distribution of this shape.
MEAN_S, SHAPE = 0.055, 4.0
# What is wrong with a version that is to be taken back.
ERROR_RATE = float(os.environ.get("FAULT_ERROR_RATE") or 0)
LATENCY_FACTOR = float(os.environ.get("FAULT_LATENCY_FACTOR") or 1)

app = FastAPI()
Instrumentator().instrument(app).expose(app)


class Message(BaseModel):
    """A text message."""

    sms: str


@app.post("/segments")
async def segments(message: Message) -> dict[str, int]:
    """How many segments a message takes."""
    await asyncio.sleep(random.gammavariate(SHAPE, MEAN_S * LATENCY_FACTOR / SHAPE))
    if random.random() < ERROR_RATE:
        raise HTTPException(503, "the price list does not answer")
    one, each = GSM if message.sms.isascii() else UCS2
    length = len(message.sms)
    return {"segments": 1 if length <= one else -(-length // each)}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}
