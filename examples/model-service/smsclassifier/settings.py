"""What the environment may say, validated at start-up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODEL_NAMES = ("v1", "v2")
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class SettingsError(Exception):
    """An environment variable has a value the service can't run with; names it, the value and what was expected."""


@dataclass(frozen=True)
class Settings:
    """The service's settings. Each field is the environment variable of its name in capitals.

    Attributes:
        model: Which model answers: v1 or v2.
        model_version: Name of the version in answers and metrics; the model's name unless said.
        model_folder: Where the models' files are.
        port: Port of /predict, /healthz and /readyz.
        metrics_port: Port of /metrics.
        base_latency_ms: Median of the simulated dependency's time, milliseconds.
        latency_sigma: Spread of it: the standard deviation of its logarithm.
        base_error_rate: Probability that the simulated dependency fails.
        fault_latency_factor: Fault switch: multiplies the dependency's time.
        fault_error_rate: Fault switch: takes the place of base_error_rate; none when negative.
        fault_all_ham: Fault switch: every message is called ham.
        fault_slow_start_s: Fault switch: not ready before so many seconds.
        drain_s: After SIGTERM, how long to go on answering while no longer ready, seconds.
    """

    model: str = "v1"
    model_version: str = ""
    model_folder: Path = Path(__file__).parent.parent / "models"
    port: int = 8081
    metrics_port: int = 9090
    base_latency_ms: float = 50.0
    latency_sigma: float = 0.25
    base_error_rate: float = 0.005
    fault_latency_factor: float = 1.0
    fault_error_rate: float = -1.0
    fault_all_ham: bool = False
    fault_slow_start_s: float = 0.0
    drain_s: float = 3.0

    @property
    def version(self) -> str:
        """The version in answers and metrics."""
        return self.model_version or self.model

    @property
    def error_rate(self) -> float:
        """The probability of a 500 in force."""
        return self.base_error_rate if self.fault_error_rate < 0 else self.fault_error_rate

    @property
    def faults(self) -> str:
        """The fault switches that are on, for the log; "none" without any."""
        told = {
            "latency factor": self.fault_latency_factor if self.fault_latency_factor != 1 else None,
            "error rate": self.fault_error_rate if self.fault_error_rate >= 0 else None,
            "all ham": True if self.fault_all_ham else None,
            "slow start, s": self.fault_slow_start_s or None,
        }
        return ", ".join(f"{name} {value}" for name, value in told.items() if value is not None) or "none"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment gives; what it doesn't mention has its default.

    Raises:
        SettingsError: A value is not of its kind or out of its range, or a FAULT_ variable is unknown.
    """
    known = {"FAULT_LATENCY_FACTOR", "FAULT_ERROR_RATE", "FAULT_ALL_HAM", "FAULT_SLOW_START_S"}
    unknown = sorted({name for name in environment if name.startswith("FAULT_")} - known)
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such fault switch; there are {', '.join(sorted(known))}")
    model = environment.get("MODEL", "v1")
    if model not in MODEL_NAMES:
        raise SettingsError(f"MODEL is {model!r}, expected one of {', '.join(MODEL_NAMES)}")
    version = environment.get("MODEL_VERSION", "")
    if version and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", version):
        raise SettingsError(
            f"MODEL_VERSION is {version!r}, expected letters, digits, - and . inside, at most 63 characters"
        )
    fault = "FAULT_ERROR_RATE" in environment and environment["FAULT_ERROR_RATE"] != ""
    return Settings(
        model=model,
        model_version=version,
        model_folder=Path(environment.get("MODEL_FOLDER", str(Settings.model_folder))),
        port=int(number(environment, "PORT", Settings.port, 0, 65_535, whole=True)),
        metrics_port=int(number(environment, "METRICS_PORT", Settings.metrics_port, 0, 65_535, whole=True)),
        base_latency_ms=number(environment, "BASE_LATENCY_MS", Settings.base_latency_ms, 0, 10_000),
        latency_sigma=number(environment, "LATENCY_SIGMA", Settings.latency_sigma, 0, 2),
        base_error_rate=number(environment, "BASE_ERROR_RATE", Settings.base_error_rate, 0, 1),
        fault_latency_factor=number(environment, "FAULT_LATENCY_FACTOR", 1.0, 0.01, 100),
        fault_error_rate=number(environment, "FAULT_ERROR_RATE", 0.0, 0, 1) if fault else -1.0,
        fault_all_ham=switch(environment, "FAULT_ALL_HAM"),
        fault_slow_start_s=number(environment, "FAULT_SLOW_START_S", 0.0, 0, 31_536_000),
        drain_s=number(environment, "DRAIN_S", Settings.drain_s, 0, 600),
    )


def number(
    environment: Mapping[str, str], name: str, default: float, low: float, high: float, *, whole: bool = False
) -> float:
    """A number of the environment; the default where it is absent or empty.

    Raises:
        SettingsError: It is no number, not whole where it has to be, or out of its range.
    """
    given = environment.get(name, "").strip()
    if not given:
        return default
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise SettingsError(f"{name} is {given!r}, expected {kind} from {low:g} to {high:g}")
    return value


def switch(environment: Mapping[str, str], name: str) -> bool:
    """A switch of the environment; off where it is absent or empty.

    Raises:
        SettingsError: It is neither on nor off.
    """
    given = environment.get(name, "").strip().lower()
    if given not in TRUE + FALSE:
        raise SettingsError(f"{name} is {given!r}, expected 1 or 0")
    return given in TRUE
