"""Which series carry the evidence. The queries stand beside the rules by which their answer is read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass


def quoted(value: str) -> str:
    """A PromQL string literal for any text."""
    return json.dumps(value, ensure_ascii=False)


def one_of(values: Sequence[str]) -> str:
    """A PromQL regular expression literal that matches exactly these texts."""
    return quoted("|".join(re.escape(value) for value in values))


@dataclass(frozen=True)
class Source:
    """Series selectors of one kind of telemetry, and how to read them.

    Attributes:
        requests: Selector of the request counters of both versions.
        latency: Selector of the cumulative latency buckets, successful requests only where the source can say so.
        version_label: Label that names the version.
        error_label: Label by which an error is told.
        error_pattern: Regular expression an error's label value matches in full.
        unit_seconds: How many seconds one unit of `le` is.
    """

    requests: str
    latency: str
    version_label: str
    error_label: str
    error_pattern: str
    unit_seconds: float

    def is_error(self, value: str) -> bool:
        """Whether a label value marks an error."""
        return re.fullmatch(self.error_pattern, value) is not None


def app_source(namespace: str, service: str, versions: Sequence[str]) -> Source:
    """The service's own metrics: `app_predictions_total`, `app_prediction_latency_seconds`."""
    pods = quoted(f"{re.escape(service)}-.+")
    where = f"namespace={quoted(namespace)},pod=~{pods},version=~{one_of(versions)}"
    return Source(
        requests=f"app_predictions_total{{{where}}}",
        latency=f'app_prediction_latency_seconds_bucket{{{where},status="success"}}',
        version_label="version",
        error_label="status",
        error_pattern="error",
        unit_seconds=1.0,
    )


def mesh_source(namespace: str, service: str, versions: Sequence[str]) -> Source:
    """What the callers' proxies saw: Istio's standard metrics, `reporter="source"`."""
    where = (
        f'reporter="source",destination_service_name={quoted(service)},'
        f"destination_service_namespace={quoted(namespace)},destination_version=~{one_of(versions)}"
    )
    return Source(
        requests=f"istio_requests_total{{{where}}}",
        latency=f"istio_request_duration_milliseconds_bucket{{{where}}}",
        version_label="destination_version",
        error_label="response_code",
        error_pattern="5..|0",
        unit_seconds=0.001,
    )
