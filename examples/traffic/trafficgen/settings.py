"""What the environment may say, validated at start-up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

MAX_RATE = 500.0


class SettingsError(Exception):
    """A setting has a value the generator can't run with; names it, the value and what was expected."""


@dataclass(frozen=True)
class Settings:
    """The generator's settings. Each field is the environment variable of its name in capitals.

    Attributes:
        rate: Requests a second, on average.
        gateway_url: Where requests of the target `gateway` go: through the ingress gateway.
        gateway_host: Their Host header; that of the URL when empty.
        service_url: Where requests of the target `mesh` go: to the service, through the generator's own sidecar.
        gateway_share: Share of requests that go to the gateway, 0 to 1.
        timeout_s: Time-out of a request, seconds.
        max_in_flight: Requests on their way at most; what is due beyond that is shed and counted.
        max_seconds: When to stop sending, seconds after the start or the last change of the rate.
        data: CSV with a column `sms`.
        port: Port of /metrics, /counts, /rate and /healthz.
    """

    rate: float = 50.0
    gateway_url: str = "http://istio-ingressgateway.istio-system/predict"
    gateway_host: str = ""
    service_url: str = "http://model-service:8081/predict"
    gateway_share: float = 0.8
    timeout_s: float = 5.0
    max_in_flight: int = 500
    max_seconds: float = 21_600.0
    data: Path = Path("/app/data/sms.csv")
    port: int = 9090


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment gives; what it doesn't mention has its default.

    Raises:
        SettingsError: A value is not of its kind or out of its range.
    """
    return Settings(
        rate=_number(environment, "RATE", Settings.rate, 0, MAX_RATE),
        gateway_url=_url(environment, "GATEWAY_URL", Settings.gateway_url),
        gateway_host=environment.get("GATEWAY_HOST", ""),
        service_url=_url(environment, "SERVICE_URL", Settings.service_url),
        gateway_share=_number(environment, "GATEWAY_SHARE", Settings.gateway_share, 0, 1),
        timeout_s=_number(environment, "TIMEOUT_S", Settings.timeout_s, 0.01, 60),
        max_in_flight=int(_number(environment, "MAX_IN_FLIGHT", Settings.max_in_flight, 1, 10_000)),
        max_seconds=_number(environment, "MAX_SECONDS", Settings.max_seconds, 1, 604_800),
        data=Path(environment.get("DATA", str(Settings.data))),
        port=int(_number(environment, "PORT", Settings.port, 0, 65_535)),
    )


def rate_of(given: object) -> float:
    """The rate in a body {"rate": 80}, requests a second.

    Raises:
        SettingsError: It has another form, or the rate is no number from 0 to MAX_RATE.
    """
    rate = given.get("rate") if isinstance(given, dict) and set(given) == {"rate"} else None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= MAX_RATE:
        raise SettingsError(f'{str(given)[:200]} was given, expected {{"rate": <a number from 0 to {MAX_RATE:g}>}}')
    return float(rate)


def _number(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    given = environment.get(name, "").strip()
    if not given:
        return default
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise SettingsError(f"{name} is {given!r}, expected a number from {low:g} to {high:g}")
    return value


def _url(environment: Mapping[str, str], name: str, default: str) -> str:
    given = environment.get(name, "").strip() or default
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name} is {given!r}, expected a URL such as {default}")
    return given
