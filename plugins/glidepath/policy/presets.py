"""What well-known packages expose, by their names: the sources that a policy may name.

A preset is data. To add one: a row in PRESETS, its name in `fields.Origin`, what the real package prints in
`tests/expositions`, a case in `tests/unit/evidence/behaviour/test_presets.py`, a row of the table in docs/write-a-policy.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from glidepath.policy.counted import Counted, Latency, VersionPlace

POD_NAME = VersionPlace(pod_name=True)
# Exact codes, and classes as some middlewares group them: 503 and 5xx.
FAILED, GOOD, CALLERS = "=~5..", "=~[1-4]..", "=~4.."
PROBES: list[str] = ["=~/(health|healthz|livez|readyz|metrics)(/.*)?"]


def _codes(*names: str) -> str:
    """gRPC's codes, as Go writes them (`NotFound`) and as Python and Java do (`NOT_FOUND`)."""
    others = (re.sub("(?<=.)([A-Z])", r"_\1", name).upper() for name in names)
    return f"=~{'|'.join([*names, *others])}"


# What OpenTelemetry takes for the server's errors, and the rest but OK.
GRPC_FAILED = _codes("Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss")
GRPC_CALLERS = _codes(
    "Canceled", "Cancelled", "InvalidArgument", "NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted",
    "FailedPrecondition", "Aborted", "OutOfRange", "Unauthenticated",
)  # fmt: skip
# The same by number, as Envoy has them.
GRPC_FAILED_NUMBERS, GRPC_CALLERS_NUMBERS = "=~2|4|12|13|14|15", "=~1|3|5|6|7|8|9|10|11|16"


@dataclass(frozen=True)
class Preset:
    """What a package exposes.

    Attributes:
        counts: What is counted of it.
        names: Where its names are from.
        tried: What printed the exposition that it is tested against; empty: untried, and `plan` says so.
    """

    counts: Counted
    names: str
    tried: str = ""


def _istio(reporter: str, label: str = "response_code", failed: str = "=~5..|0", callers: str = CALLERS) -> Counted:
    """Istio's standard metrics as a reporter tells them; errors by a label of theirs."""
    good = GOOD if label == "response_code" else callers.replace("=~", "=~0|")
    return Counted(
        requests="istio_requests_total",
        where={
            "reporter": reporter,
            "destination_service_name": "{service}",
            "destination_service_namespace": "{namespace}",
        },
        errors={label: failed},
        good={label: good},
        client_errors={label: callers},
        latency=Latency(
            histogram="istio_request_duration_milliseconds", unit="milliseconds", among={label: good}, binned=True
        ),
        version=VersionPlace(label="destination_version"),
        seen_by="callers",
    )


def _by_code(requests: str, label: str, latency: Latency, paths: str, failed: str = FAILED, **more: str) -> Counted:
    """A server's own counter by HTTP status code.

    Args:
        requests: The counter.
        label: The label that has the code.
        latency: The histogram.
        paths: The label by which probes are left out.
        failed: Which codes are errors.
        more: Labels that name the pod and the namespace, if not by those names.
    """
    return Counted(
        requests=requests,
        where={more.get("namespace", "namespace"): "{namespace}"},
        errors={label: failed},
        good={label: GOOD},
        client_errors={label: CALLERS},
        ignore={paths: PROBES},
        latency=latency,
        version=POD_NAME,
        pod=more.get("pod", "pod"),
        seen_by="service",
    )


def _otel(**more: str) -> Counted:
    code, name = "http_response_status_code", "http_server_request_duration_seconds"
    latency = Latency(histogram=name, among={code: GOOD})
    # Without an answer, there is an error and no code.
    return _by_code(f"{name}_count", code, latency, "http_route", failed="=~(5..)?", **more)


PRESETS: dict[str, Preset] = {
    "istio": Preset(_istio("source"), "Istio's standard metrics, sidecars of the callers"),
    "istio-grpc": Preset(
        _istio("source", "grpc_response_status", GRPC_FAILED_NUMBERS, GRPC_CALLERS_NUMBERS),
        "Istio's standard metrics; gRPC answers errors with HTTP 200",
    ),
    "istio-ambient": Preset(_istio("waypoint"), "Istio's standard metrics, of the service's waypoint"),
    "envoy": Preset(
        Counted(
            requests="envoy_cluster_upstream_rq",
            errors={"envoy_response_code": FAILED},
            good={"envoy_response_code": GOOD},
            client_errors={"envoy_response_code": CALLERS},
            latency=Latency(histogram="envoy_cluster_upstream_rq_time", unit="milliseconds", binned=True),
            version=VersionPlace(
                label="envoy_cluster_name",
                value="=~outbound[|][0-9]+[|]{version}[|]{service}[.]{namespace}[.].*|{workload}",
            ),
            seen_by="callers",
        ),
        "Envoy's statistics of a cluster <service>-<version>, or of Istio's subsets",
        tried="envoy 1.38.3",
    ),
    "otel-http": Preset(
        _otel(), "OpenTelemetry's semantic conventions 1.23 and newer, scraped",
        tried="opentelemetry-instrumentation-fastapi, -exporter-prometheus 0.66b2",
    ),
    "otel-http-otlp": Preset(
        _otel(pod="k8s_pod_name", namespace="k8s_namespace_name"),
        "the same over OTLP, with `k8s.pod.name` and `k8s.namespace.name` promoted",
        tried="opentelemetry-exporter-otlp 1.45.2 into Prometheus 3.11",
    ),
    "fastapi-instrumentator": Preset(
        _by_code(
            "http_requests_total", "status", Latency(histogram="http_request_duration_seconds"), "handler"
        ),
        "prometheus-fastapi-instrumentator",
        tried="prometheus-fastapi-instrumentator 8.1.0",
    ),
    "micrometer": Preset(
        _by_code(
            "http_server_requests_seconds_count", "status",
            Latency(histogram="http_server_requests_seconds", among={"status": GOOD}), "uri",
        ).model_copy(update={"ignore": {"uri": [*PROBES, "=~/actuator(/.*)?"]}}),
        "Micrometer under Spring Boot, with percentiles-histogram for http.server.requests",
        tried="Spring Boot 3.5.7, Micrometer 1.15",
    ),
    "promhttp": Preset(
        _by_code(
            "http_requests_total", "code", Latency(histogram="http_request_duration_seconds", among={"code": GOOD}), "handler"
        ),
        "Go's promhttp.InstrumentHandler..., under the customary names",
        tried="client_golang 1.23.2",
    ),
    "grpc": Preset(
        Counted(
            requests="grpc_server_handled_total",
            where={"namespace": "{namespace}"},
            errors={"grpc_code": GRPC_FAILED},
            good={"grpc_code": GRPC_CALLERS.replace("=~", "=~OK|")},
            client_errors={"grpc_code": GRPC_CALLERS},
            ignore={"grpc_service": ["grpc.health.v1.Health", "=~grpc[.]reflection[.].+"]},
            latency=Latency(histogram="grpc_server_handling_seconds"),
            version=POD_NAME,
            seen_by="service",
        ),
        "go-grpc-middleware's providers/prometheus, and what follows it, with the handling time histogram",
        tried="go-grpc-middleware providers/prometheus 1.1.0, py-grpc-prometheus 0.8.0",
    ),
    "aspnet": Preset(
        _by_code(
            "http_requests_received_total", "code",
            Latency(histogram="http_request_duration_seconds", among={"code": GOOD}), "endpoint",
        ),
        "prometheus-net.AspNetCore; for .NET's own meters take otel-http",
    ),
    "nginx-ingress": Preset(
        Counted(
            requests="nginx_ingress_controller_requests",
            where={"namespace": "{namespace}"},
            errors={"status": FAILED},
            good={"status": GOOD},
            client_errors={"status": CALLERS},
            latency=Latency(histogram="nginx_ingress_controller_request_duration_seconds", among={"status": GOOD}),
            version=VersionPlace(label="service", value="{workload}"),
            pod="controller_pod",
            seen_by="callers",
        ),
        "ingress-nginx, with a Service <service>-<version> for each version, scraped with honor_labels",
        "ingress-nginx of July 2024, its controller; nginx itself was played",
    ),
    "vllm": Preset(
        Counted(
            requests="vllm:request_success_total",
            where={"namespace": "{namespace}"},
            errors={"finished_reason": "=~abort|error"},
            good={"finished_reason": "=~stop|length|repetition"},
            latency=Latency(histogram="vllm:e2e_request_latency_seconds"),
            version=POD_NAME,
            seen_by="service",
        ),
        "vLLM's server, v1 metrics",
        tried="vllm 0.33.0, its logger of metrics; requests and models were played",
    ),
}  # fmt: skip


def counted_by(source: str, counts: Counted | None = None) -> Counted:
    """What a source counts, overlaid with what the policy says. For `own`, only what the policy says."""
    own = counts or Counted()
    return own.over(PRESETS[source].counts) if source in PRESETS else own


def untried(source: str) -> str | None:
    """That a source was not tried against what its package prints, where that is so."""
    preset = PRESETS.get(source)
    if preset is None or preset.tried:
        return None
    return (
        f"source: {source} is untried: its names are from documentation ({preset.names}). Compare the requests and "
        "errors that are counted with those you know of"
    )
