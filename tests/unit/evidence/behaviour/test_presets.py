"""Each preset counts rightly what the real package prints: the tests' own of Python, kept files of what else could be had."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from glidepath.evidence import Collector, source_of
from glidepath.evidence.interval import Collected
from glidepath.policy import Policy
from glidepath.policy.fields import Origin
from glidepath.policy.load import parse_policy
from glidepath.policy.presets import PRESETS, untried
from tests.unit.evidence.exposed import Exposed

EXPOSITIONS = Path(__file__).resolve().parents[3] / "expositions"
DOCS = Path(__file__).resolve().parents[4] / "docs" / "write-a-policy.md"
V1, V2, OTHER = "shop-v1-5d4f9c7b6d-x2k9q", "shop-v2-7f6d5c4b3a-p8w2z", "cart-v1-5d4f9c7b6d-x2k9q"
VERSIONS = ["v1", "v2"]
# Until each scrape: answers with 200, 404 and 503. Probes come on top, ten a scrape.
ROUNDS = ((20, 1, 2), (120, 5, 12))
CODES = (200, 404, 503)
PROBES = 10
SERVED, REFUSED, FAILED = (b - a for a, b in zip(*ROUNDS, strict=True))


def policy(source: str, **evidence: Any) -> Policy:
    values = {
        "service": "shop", "namespace": "prod", "helm": {"release": "shop"}, "steps": [{"weight": 50}],
        "evidence": {"source": source, **evidence},
    }  # fmt: skip
    return parse_policy(yaml.safe_dump(values), "p.yaml", Path("/checkout"))


def kept(name: str) -> list[str]:
    """The scrapes in a file of `tests/expositions/record`."""
    head, *scrapes = re.split(r"^# scrape \d+\n", (EXPOSITIONS / f"{name}.txt").read_text(), flags=re.MULTILINE)
    assert head.startswith("# printed by ")
    return scrapes


def asked_of(app: Any, expose: Callable[[], str] = str, rounds: Sequence[int] = range(len(ROUNDS))) -> list[str]:
    """What an ASGI app exposes after each of some rounds."""
    import httpx

    async def texts() -> list[str]:
        transport, found = httpx.ASGITransport(app=app, raise_app_exceptions=False), []
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            for number in rounds:
                sent = ROUNDS[number - 1] if number else (0, 0, 0)
                for code, before, until in zip(CODES, sent, ROUNDS[number], strict=True):
                    for _ in range(until - before):
                        assert (await client.get(f"/work/{code}")).status_code == code
                for _ in range(PROBES):
                    await client.get("/healthz")
                found.append(expose())
        return found

    return asyncio.run(texts())


def application() -> Any:
    from fastapi import FastAPI, Response

    app = FastAPI()

    @app.get("/work/{code}")
    def work(code: int) -> Response:
        if code == 503:
            return Response(status_code=503)
        return Response(status_code=code)

    @app.get("/healthz")
    def healthz() -> str:
        return "well"

    return app


def fastapi_instrumentator() -> list[str]:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_fastapi_instrumentator import Instrumentator

    registry, app = CollectorRegistry(), application()
    Instrumentator(registry=registry).instrument(app)
    return asked_of(app, lambda: generate_latest(registry).decode())


def instrumented(monkeypatch: pytest.MonkeyPatch, provider: Any) -> Any:
    """The application, by OpenTelemetry with today's names."""
    from opentelemetry.instrumentation import _semconv
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    # It reads the environment once a process.
    monkeypatch.setattr(_semconv._OpenTelemetrySemanticConventionStability, "_initialized", False)
    app = application()
    FastAPIInstrumentor.instrument_app(app, meter_provider=provider)
    return app


def otel_http(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import MeterProvider
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    app = instrumented(monkeypatch, MeterProvider(metric_readers=[PrometheusMetricReader(registry=registry)]))
    return asked_of(app, lambda: generate_latest(registry).decode())


def counted(source: str, scrapes: list[str], *targets: dict[str, str], **evidence: Any) -> Collected:
    """What the collector says after two scrapes of each target; another service's pod exposes the same beside them."""
    made = policy(source, **evidence)
    scraped = Exposed()
    for at, text in zip((100.0, 105.0), scrapes, strict=True):
        for target in targets:
            scraped.scrape(at, text, instance=next(iter(target.values())), **target)
    collector = Collector(scraped, source_of(made, VERSIONS), "v1", VERSIONS, 5.0)
    collector.collect(101)
    found = collector.collect(106)
    assert isinstance(found, Collected), found
    return found


PODS = tuple({"pod": pod, "namespace": "prod"} for pod in (V1, V2, OTHER))


def rightly(found: Collected, judged: int, edges: tuple[float, ...]) -> None:
    """Both versions have the requests, errors, 4xx and latencies that were sent; `judged` of these have a latency."""
    assert found.versions.keys() == {"v1", "v2"}
    for one in found.versions.values():
        assert (one.requests, one.errors) == (SERVED + REFUSED + FAILED, FAILED)
        assert one.shares == {"client-errors": (REFUSED, SERVED + REFUSED)}
        assert sum(one.latency) == judged
    assert found.edges[: len(edges)] == edges


ALL, ANSWERED = SERVED + REFUSED + FAILED, SERVED + REFUSED


@pytest.mark.parametrize(
    ("name", "printed", "judged", "edges"),
    [
        ("promhttp", "promhttp", ANSWERED, (0.005, 0.01, 0.025)),
        ("grpc", "grpc", ALL, (0.005, 0.01, 0.025)),
        ("grpc", "grpc-python", ALL, (0.005, 0.01, 0.025)),
        ("micrometer", "micrometer", ANSWERED, (0.001, 0.001048576, 0.001398101)),
    ],
)
def test_what_a_server_exposes_is_counted(name: str, printed: str, judged: int, edges: tuple[float, ...]) -> None:
    rightly(counted(name, kept(printed), *PODS), judged, edges)
    assert PRESETS[name].tried


def test_what_envoy_exposes_is_counted_by_cluster() -> None:
    found = counted("envoy", kept("envoy"), {"pod": "gateway-0", "namespace": "edge"})
    rightly(found, ALL, (0.0005, 0.001, 0.005))


def test_what_ingress_nginxs_controller_exposes_is_counted_by_service() -> None:
    """Scraped with honor_labels: the namespace is that of the Ingress."""
    found = counted("nginx-ingress", kept("nginx-ingress"), {"pod": "ingress-nginx-controller-0"})
    rightly(found, ANSWERED, (0.005, 0.01, 0.025))


def test_what_vllms_own_logger_exposes_is_counted_by_the_reasons_that_requests_end_for() -> None:
    """Of each version 104 were answered, 3 given up by their callers, 7 failed."""
    found = counted("vllm", kept("vllm"), *PODS)
    assert found.versions.keys() == {"v1", "v2"}
    for one in found.versions.values():
        assert (one.requests, one.errors, sum(one.latency)) == (114, 10, 114)
    assert found.edges[:3] == (0.3, 0.5, 0.8)


def test_what_fastapi_instrumentator_exposes_is_counted() -> None:
    rightly(counted("fastapi-instrumentator", fastapi_instrumentator(), *PODS), ALL, (0.1, 0.5, 1.0))


def test_what_opentelemetry_exposes_is_counted_scraped_and_by_otlp(monkeypatch: pytest.MonkeyPatch) -> None:
    scrapes = otel_http(monkeypatch)
    rightly(counted("otel-http", scrapes, *PODS), ANSWERED, (0.005, 0.01, 0.025))
    promoted = tuple({"k8s_pod_name": one["pod"], "k8s_namespace_name": "prod"} for one in PODS)
    rightly(counted("otel-http-otlp", scrapes, *promoted), ANSWERED, (0.005, 0.01, 0.025))


def test_probes_count_where_a_policy_wants_them() -> None:
    found = counted("promhttp", kept("promhttp"), *PODS, counts={"ignore": {}})
    assert found.versions["v1"].requests == ALL + PROBES


def test_what_a_policy_says_goes_before_the_preset() -> None:
    more = {"errors": {"code": "=~[45].."}, "latency": {"histogram": "http_request_duration_seconds"}}
    found = counted("promhttp", kept("promhttp"), *PODS, counts=more)
    assert (found.versions["v2"].requests, found.versions["v2"].errors) == (ALL, REFUSED + FAILED)
    assert sum(found.versions["v2"].latency) == ALL


def mesh(reporter: str, version: str, count: int, **labels: str) -> str:
    own = {
        "reporter": reporter, "destination_service_name": "shop", "destination_service_namespace": "prod",
        "destination_version": version, **labels,
    }  # fmt: skip
    told = ",".join(f'{name}="{value}"' for name, value in own.items())
    buckets = "".join(
        f'istio_request_duration_milliseconds_bucket{{{told},le="{le}"}} {count if le != "0.5" else 0}\n'
        for le in ("0.5", "1", "5", "+Inf")
    )
    return f"istio_requests_total{{{told}}} {count}\n{buckets}"


@pytest.mark.parametrize(
    ("source", "label", "codes"),
    [
        ("istio", "response_code", ("200", "404", "503")),
        ("istio-ambient", "response_code", ("200", "404", "0")),
        ("istio-grpc", "grpc_response_status", ("0", "5", "14")),
    ],
)
def test_istios_names_are_counted_as_one_reporter_tells_them(source: str, label: str, codes: tuple[str, ...]) -> None:
    scrapes = []
    for wanted in ROUNDS:
        rows = [mesh(one, v, count, **{label: code}) for one in ("source", "destination", "waypoint") for v in VERSIONS
                for code, count in zip(codes, wanted, strict=True)]  # fmt: skip
        scrapes.append("".join(rows))
    rightly(counted(source, scrapes, {"pod": "caller-0"}), ANSWERED, (0.0005, 0.001, 0.005))
    assert "is untried" in str(untried(source))


def test_the_table_the_names_and_the_docs_are_one() -> None:
    assert {*get_args(Origin)} == {"app", "mesh", "own", *PRESETS}
    rows = re.findall(r"^\| `([a-z-]+)` \| .* \| (.+) \|$", DOCS.read_text(), re.MULTILINE)
    told = {name: tried for name, tried in rows if name in PRESETS}
    assert told.keys() == PRESETS.keys()
    for name, preset in PRESETS.items():
        assert told[name] == (preset.tried or "untried"), name


def test_what_a_policy_gets_that_says_nothing_is_istio_with_client_errors_as_a_guard() -> None:
    values = {"service": "shop", "namespace": "prod", "helm": {"release": "shop"}, "steps": [{"weight": 50}]}
    made = parse_policy(yaml.safe_dump(values), "p.yaml", Path("/checkout"))
    assert made.evidence.source == "istio"
    assert [(one.title, one.role) for one in made.metrics] == [
        ("errors", "critical"), ("latency_p95", "critical"), ("client-errors", "guard"),
    ]  # fmt: skip


@pytest.mark.parametrize("source", ["app", "mesh", "vllm"])
def test_sources_without_codes_have_errors_and_latency(source: str) -> None:
    assert [one.title for one in policy(source).metrics] == ["errors", "latency_p95"]


@pytest.mark.parametrize("source", sorted(PRESETS))
def test_every_preset_says_all_that_is_asked_for(source: str) -> None:
    made = source_of(policy(source), VERSIONS)
    assert made.requests
    assert made.latency
    assert made.error
    assert not made.is_error({label: "" for label, _ in made.error}) or source.startswith("otel")
