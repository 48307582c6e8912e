"""Where a chart is: what is asked of Helm for one in a registry, and what is kept of it. Helm is a function here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from glidepath.deploy.charts import PULL_TIMEOUT_S, PULL_TRIES, RegistryChart, cache, kept_at
from glidepath.errors import HelmError, SetupError

AT = "oci://registry.example.com/charts/shop"
FIRST, SECOND = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


class Registry:
    """What Helm pulls from: `digest` is what has the version now, `failures` come first."""

    def __init__(self) -> None:
        self.digest, self.calls = FIRST, []  # type: tuple[str, list[list[str]]]
        self.failures: list[str] = []

    def __call__(self, args: Sequence[str], timeout_s: float) -> str:
        self.calls.append(list(args))
        assert timeout_s == PULL_TIMEOUT_S
        if self.failures:
            raise HelmError(self.failures.pop(0))
        _, _, wanted = args[1].partition("@")
        (Path(args[-1]) / "shop-1.4.2.tgz").write_bytes((wanted or self.digest).encode())
        return f"Pulled: registry.example.com/charts/shop:1.4.2\nDigest: {wanted or self.digest}\n"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path / "helm"))
    monkeypatch.setattr("glidepath.deploy.charts.PULL_PAUSE_S", 0)
    return Registry()


def at(run: Callable[[Sequence[str], float], str], version: str | None = "1.4.2", pinned: str | None = None, plain: bool = False) -> RegistryChart:  # fmt: skip
    return RegistryChart(AT, version, pinned, plain, run)


def test_a_version_is_pulled_once_and_is_that_one_from_then_on(registry: Registry) -> None:
    chart = at(registry)
    packed = chart.packed()
    assert (packed.read_text(), chart.digest(), str(chart)) == (FIRST, FIRST, f"{AT}@{FIRST}")
    registry.digest = SECOND
    assert chart.packed() == packed
    [call] = registry.calls
    assert call[:-1] == ["pull", AT, "--version", "1.4.2", "--destination"]


def test_a_version_whose_chart_is_another_by_now_is_the_pinned_one(registry: Registry) -> None:
    registry.digest = SECOND
    chart = at(registry, pinned=FIRST, plain=True)
    assert chart.packed().read_text() == FIRST
    [call] = registry.calls
    assert call[:-1] == ["pull", f"{AT}@{FIRST}", "--plain-http", "--destination"]


def test_what_is_kept_needs_no_registry(registry: Registry) -> None:
    at(registry).packed()
    registry.failures = ["connection refused"] * PULL_TRIES
    assert at(registry, pinned=FIRST).packed() == kept_at(FIRST)
    assert len(registry.calls) == 1
    assert [path.name for path in cache().iterdir()] == [f"{'1' * 64}.tgz"]


def test_a_registry_that_is_away_is_asked_again_and_not_for_ever(registry: Registry) -> None:
    registry.failures = ["dial tcp: connection refused"] * (PULL_TRIES - 1)
    assert at(registry).packed().is_file()
    registry.failures = ["dial tcp: connection refused"] * (PULL_TRIES + 1)
    with pytest.raises(HelmError, match=rf"{AT}@{SECOND} could not be had in 3 tries: dial tcp"):
        at(registry, pinned=SECOND).packed()
    assert len(registry.calls) == 2 * PULL_TRIES


def test_what_a_registry_does_not_have_is_asked_for_once(registry: Registry) -> None:
    registry.failures = ["registry.example.com/charts/shop:9.9.9: not found"]
    with pytest.raises(
        SetupError, match=rf"does not give the chart {AT} --version 9\.9\.9.*helm push.*helm registry login"
    ):
        at(registry, "9.9.9").packed()
    assert len(registry.calls) == 1


@pytest.mark.parametrize("says", ["", f"Digest: {SECOND}\n"])
def test_another_chart_than_the_pinned_one_is_refused(registry: Registry, says: str) -> None:
    def run(args: Sequence[str], timeout_s: float) -> str:
        registry(args, timeout_s)
        return says

    with pytest.raises(SetupError, match="expected that one"):
        at(run, pinned=FIRST).packed()
    assert not kept_at(FIRST).exists()
    assert not kept_at(SECOND).exists()
