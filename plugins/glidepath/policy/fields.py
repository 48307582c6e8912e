"""The kinds of values a policy is made of."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(value: Any) -> float:
    """Seconds out of `90s`, `2m`, `1h30m`, or a number of seconds.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    text = str(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("expected a duration such as 45s, 2m or 1h30m")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected an IANA time zone such as Europe/Amsterdam or UTC")
    return name


# A name that is safe as a label, a subset and an image tag, as long as Kubernetes has them.
NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

Name = Annotated[str, StringConstraints(pattern=NAME)]
# A Service's begins with a letter.
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
HelmName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,51}[a-z0-9])?$")]
_WRITTEN = WithJsonSchema(
    {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h))+$"}]}
)
Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=30 * 86400), _WRITTEN]
# A duration that may be none at all.
Wait = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=30 * 86400), _WRITTEN]
Zone = Annotated[str, AfterValidator(_zone)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
# The id of one of Airflow's connections.
ConnId = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]+$", max_length=200)]

# Where counts come from: the example's own names, Istio's as callers see them, what a policy says, or a preset.
Origin = Literal[
    "app", "mesh", "own", "istio", "istio-grpc", "istio-ambient", "envoy", "otel-http", "otel-http-otlp",
    "fastapi-instrumentator", "micrometer", "promhttp", "grpc", "aspnet", "nginx-ingress", "vllm",
]  # fmt: skip


class Form(BaseModel):
    """Base of everything a policy says."""

    model_config = ConfigDict(extra="forbid", frozen=True)
