from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from smsclassifier.messages import MAX_BODY
from smsclassifier.metrics import edges
from smsclassifier.models import Model
from smsclassifier.server import Service
from smsclassifier.settings import Settings, from_environment

QUICK = {"BASE_LATENCY_MS": "0", "BASE_ERROR_RATE": "0", "MODEL_VERSION": "v7"}
SPAM = "WINNER!! You have won a £500-voucher, call 09012345678 now to claim"
Client = TestClient[Any, Any]


def running(
    model: Model | None,
    body: Callable[[Client, Service], Awaitable[None]],
    rng: random.Random | None = None,
    **environment: str,
) -> None:
    """Run a body against a service with these settings; one that is not started without a model."""

    async def run() -> None:
        settings = from_environment(QUICK | environment)
        service = Service(settings, lambda _: model, rng)  # type: ignore[arg-type, return-value]
        if model is not None:
            await service.start()
        async with TestClient(TestServer(service.app())) as client:
            await body(client, service)

    asyncio.run(run())


async def samples(service: Service) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The metrics, as a scrape sees them."""
    async with TestClient(TestServer(service.metrics_app())) as client:
        answer = await client.get("/metrics")
        assert answer.status == 200
        families = text_string_to_metric_families(await answer.text())
        return {
            (one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples
        }


def predictions(found: dict[Any, float]) -> dict[tuple[str, str], float]:
    """app_predictions_total by (status, result)."""
    told = {}
    for (name, labels), value in found.items():
        if name == "app_predictions_total":
            by = dict(labels)
            assert by["version"] == "v7"
            told[by["status"], by["result"]] = value
    return told


def test_predict(small: dict[str, Model]) -> None:
    async def body(client: Client, service: Service) -> None:
        answer = await client.post("/predict", json={"sms": SPAM})
        assert answer.status == 200
        assert answer.headers["x-model-version"] == "v7"
        told = await answer.json()
        assert set(told) == {"label", "confidence", "version"}
        assert (told["label"], told["version"]) == ("spam", "v7")
        assert 0.5 < told["confidence"] <= 1
        assert (await (await client.post("/predict", json={"sms": "see you at lunch"})).json())["label"] == "ham"
        found = await samples(service)
        assert predictions(found) == {("success", "spam"): 1, ("success", "ham"): 1, ("error", "none"): 0}
        labels = (("source", "predict"), ("status", "success"), ("version", "v7"))
        assert found["app_prediction_latency_seconds_count", labels] == 2
        assert found["app_requests_in_flight", (("version", "v7"),)] == 0
        assert found["app_model_info", (("model", "v1"), ("version", "v7"))] == 1

    running(small["v1"], body)


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason", "says"),
    [
        (b"", JSON, 400, "empty_body", "the body is empty"),
        (b"{sms", JSON, 400, "bad_json", "no JSON"),
        (b"\xff\xfe{", JSON, 400, "bad_json", "no JSON"),
        (b"[" * 10_000, JSON, 400, "bad_json", "no JSON"),
        (b'["sms"]', JSON, 422, "bad_form", "a JSON array"),
        (b"{}", JSON, 422, "missing_field", "field 'sms' is missing"),
        (b'{"text": "hi"}', JSON, 422, "missing_field", "fields given: ['text']"),
        (b'{"sms": "hi", "to": 1}', JSON, 422, "unknown_field", "unknown fields ['to']"),
        (b'{"sms": 3}', JSON, 422, "bad_type", "a JSON number, expected a string"),
        (b'{"sms": null}', JSON, 422, "bad_type", "a JSON null"),
        (b'{"sms": true}', JSON, 422, "bad_type", "a JSON boolean"),
        (b'{"sms": " "}', JSON, 422, "empty_sms", "is empty"),
        (b'{"sms": "' + b"a" * MAX_BODY + b'"}', JSON, 413, "oversized", "larger than 16384 bytes"),
        (b'{"sms": "hi"}', {"Content-Type": "text/plain"}, 415, "content_type", "expected 'application/json'"),
    ],
)
def test_refusals(
    small: dict[str, Model], body: bytes, headers: dict[str, str], status: int, reason: str, says: str
) -> None:
    async def run(client: Client, service: Service) -> None:
        answer = await client.post("/predict", data=body, headers=headers)
        told = await answer.json()
        assert (answer.status, told["reason"], told["version"]) == (status, reason, "v7")
        assert says in told["error"]
        assert answer.headers["x-model-version"] == "v7"
        found = await samples(service)
        assert not any(predictions(found).values()), "the caller's fault is no error of the version"
        assert found["app_rejected_requests_total", (("reason", reason), ("version", "v7"))] == 1

    running(small["v1"], run)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("PUT", "/predict", 405), ("POST", "/x", 404)]
)
def test_wrong_method_or_path(small: dict[str, Model], method: str, path: str, status: int) -> None:
    async def run(client: Client, _: Service) -> None:
        answer = await client.request(method, path)
        assert answer.status == status
        assert "is not offered, expected" in (await answer.json())["error"]
        assert answer.headers["x-model-version"] == "v7"
        assert (answer.headers.get("Allow") == "POST") == (status == 405)

    running(small["v1"], run)


def test_any_valid_text_is_answered(small: dict[str, Model]) -> None:
    async def run(client: Client, _: Service) -> None:
        for text in ("\ud800 half a pair", "\x00", "你好", "a" * 16_000):
            body = json.dumps({"sms": text}).encode()
            assert (await client.post("/predict", data=body, headers=JSON)).status == 200

    running(small["v2"], run)


def test_not_ready_before_the_model_is_loaded() -> None:
    async def run(client: Client, service: Service) -> None:
        assert (await client.get("/healthz")).status == 200
        ready = await client.get("/readyz")
        assert (ready.status, (await ready.json())["error"]) == (503, "the model is not loaded yet")
        assert (await client.post("/predict", json={"sms": "hi"})).status == 503
        assert predictions(await samples(service))["error", "none"] == 1

    running(None, run)


def test_slow_start_is_alive_but_not_ready(small: dict[str, Model]) -> None:
    async def run() -> None:
        service = Service(Settings(fault_slow_start_s=86_400), lambda _: small["v1"])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(service.start(), 0.05)
        assert service.not_ready == "the model is not loaded yet"

    asyncio.run(run())


def test_draining_answers_but_is_not_ready_and_closes(small: dict[str, Model]) -> None:
    async def run(client: Client, service: Service) -> None:
        assert (await client.get("/readyz")).status == 200
        service.drain()
        assert (await client.get("/readyz")).status == 503
        answer = await client.post("/predict", json={"sms": "hi"})
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"

    running(small["v1"], run)


def test_error_fault_is_a_500_with_its_version(small: dict[str, Model]) -> None:
    async def run(client: Client, service: Service) -> None:
        answer = await client.post("/predict", json={"sms": "hi"})
        assert answer.status == 500
        assert answer.headers["x-model-version"] == "v7"
        assert "simulated" in (await answer.json())["error"]
        found = await samples(service)
        assert predictions(found) == {("success", "spam"): 0, ("success", "ham"): 0, ("error", "none"): 1}
        labels = (("source", "predict"), ("status", "error"), ("version", "v7"))
        assert found["app_prediction_latency_seconds_count", labels] == 1

    running(small["v1"], run, FAULT_ERROR_RATE="1")


def test_error_rate_is_as_said(small: dict[str, Model]) -> None:
    async def run(client: Client, service: Service) -> None:
        for _ in range(400):
            await client.post("/predict", json={"sms": "hi"})
        assert 10 <= predictions(await samples(service))["error", "none"] <= 32  # 20 are expected

    running(small["v1"], run, random.Random(3), FAULT_ERROR_RATE="0.05")


def test_all_ham(small: dict[str, Model]) -> None:
    async def run(client: Client, service: Service) -> None:
        told = await (await client.post("/predict", json={"sms": SPAM})).json()
        assert told["label"] == "ham"
        assert told["confidence"] < 0.5, "the fault doesn't hide what the model thinks"
        assert predictions(await samples(service))["success", "ham"] == 1

    running(small["v1"], run, FAULT_ALL_HAM="1")


def test_a_crash_while_classifying_is_an_error(small: dict[str, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(client: Client, service: Service) -> None:
        monkeypatch.setattr(Model, "classify", lambda *_: 1 / 0)
        assert (await client.post("/predict", json={"sms": "hi"})).status == 500
        assert predictions(await samples(service))["error", "none"] == 1

    running(small["v1"], run)


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_latency_fault_multiplies_the_median(
    small: dict[str, Model], monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    slept: list[float] = []

    async def run() -> None:
        settings = Settings(fault_latency_factor=factor, base_error_rate=0)
        service = Service(settings, lambda _: small["v1"], random.Random(5))
        monkeypatch.setattr(asyncio, "sleep", note)
        for _ in range(4000):
            await service._dependency()

    async def note(seconds: float) -> None:
        slept.append(seconds)

    asyncio.run(run())
    slept.sort()
    assert slept[2000] == pytest.approx(0.050 * factor, rel=0.02)
    assert slept[3800] == pytest.approx(0.0754 * factor, rel=0.03)


def test_a_tolerance_leads_from_edge_to_edge() -> None:
    made = edges()
    assert (made[0], made[-1] <= 10, made[-1] * 1.1 > 10) == (0.005, True, True)
    for low, high in itertools.pairwise(made):
        assert high / low == pytest.approx(1.10, rel=1e-5)


def test_the_histogram_has_these_edges(small: dict[str, Model]) -> None:
    async def run(_: Client, service: Service) -> None:
        found = {
            float(dict(labels)["le"])
            for name, labels in await samples(service)
            if name == "app_prediction_latency_seconds_bucket"
        }
        assert sorted(found) == [*edges(), float("inf")]

    running(small["v1"], run)
