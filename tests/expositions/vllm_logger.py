"""Prints what vLLM's own logger of metrics exposes of requests of known number, twice: `vllm_logger.py SITE-PACKAGES`.

Needs no GPU and no torch: the logger, its metrics and its reasons are those of the package in that folder; what it is told of
models and devices is played, and so are the requests that have finished.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from prometheus_client import REGISTRY, generate_latest

# Keep in step with tests/unit/evidence/behaviour/test_presets.py: how many requests ended by which reason until each scrape.
ROUNDS = ((20, 1, 1, 1), (120, 5, 4, 8))
REASONS = ("STOP", "LENGTH", "ABORT", "ERROR")
LATENCY_S = 0.4
METRICS = "vllm.v1.metrics"
OWN = {
    "vllm", "vllm.v1", "vllm.envs", "vllm.v1.engine", METRICS,
    *(f"{METRICS}.{name}" for name in ("loggers", "buckets", "cache_hit_source", "prometheus", "stats", "utils")),
}  # fmt: skip
KEPT = ("vllm:request_success_total{", "vllm:e2e_request_latency_seconds_")


class Played(ModuleType):
    """A module that has every name."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


class Players(MetaPathFinder, Loader):
    """Finds what is played: torch, and what else of vLLM the logger asks for."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """A module that is played; None for others."""
        top = name.partition(".")[0]
        played = top == "torch" or (top == "vllm" and name not in OWN)
        return ModuleSpec(name, self, is_package=True) if played else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module."""
        return Played(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing has to run."""


def configuration() -> Any:
    """What the logger reads of vLLM's configuration."""
    made = MagicMock()
    made.model_config.served_model_name, made.model_config.max_model_len = "shop", 4096
    made.observability_config.custom_histogram_buckets = None
    made.observability_config.show_hidden_metrics = made.observability_config.kv_cache_metrics = False
    made.lora_config = made.watermark_config = None
    return made


def scrapes(folder: Path) -> Iterator[str]:
    """What is exposed after each round."""
    for name in ("vllm", "vllm.v1"):  # without what they run at their start
        package = ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")))]
        sys.modules[name] = package
    sys.meta_path.insert(0, Players())
    from vllm.v1.engine import FinishReason
    from vllm.v1.metrics.loggers import PrometheusStatLogger
    from vllm.v1.metrics.stats import FinishedRequestStats, IterationStats

    logger, sent = PrometheusStatLogger(configuration()), [0] * len(REASONS)
    for wanted in ROUNDS:
        for at, reason in enumerate(REASONS):
            iteration = IterationStats()
            iteration.finished_requests = [
                FinishedRequestStats(FinishReason[reason], e2e_latency=LATENCY_S) for _ in range(wanted[at] - sent[at])
            ]
            logger.record(None, iteration)
        sent = list(wanted)
        yield "".join(
            line for line in generate_latest(REGISTRY).decode().splitlines(keepends=True) if line.startswith(KEPT)
        )


if __name__ == "__main__":
    for number, text in enumerate(scrapes(Path(sys.argv[1]))):
        print(f"# scrape {number}\n{text}", end="")
