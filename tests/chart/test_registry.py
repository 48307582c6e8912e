"""Charts in a real registry, by the real Helm: what has a version, what is pinned, and every way not to have one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from glidepath.deploy.charts import PULL_TRIES, RegistryChart
from glidepath.deploy.command import Command
from glidepath.errors import HelmError, SetupError
from rig.environment import cluster
from tests.support.chart import plain_chart
from tests.support.registries import Registry, called, registry

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
VERSION = "2024.11.27-rc.1+build"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `helm create` makes it."""
    return plain_chart(tmp_path_factory.mktemp("charts"), "shop")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HELM_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path) as made:
        yield made


def at(there: Registry, version: str | None = VERSION, pinned: str | None = None) -> RegistryChart:
    run = Command(client.ApiClient(), "default", cluster()["HELM"]).run
    return RegistryChart(there.chart("shop"), version, pinned, not there.secure, run)


def app_version(packed: Path) -> str:
    """What a packed chart says that it deploys."""
    said = called("show", "chart", str(packed))
    return next(line for line in said.splitlines() if line.startswith("appVersion: ")).partition(": ")[2]


def test_a_version_has_the_digest_that_was_pushed(there: Registry, shop: Path) -> None:
    pushed = there.push(shop, VERSION, "v2")
    chart = at(there)
    assert chart.digest() == pushed
    assert app_version(chart.packed()) == "v2"


def test_a_version_that_was_pushed_anew_is_still_the_pinned_chart(there: Registry, shop: Path) -> None:
    pushed = there.push(shop, VERSION, "v2")
    assert there.push(shop, VERSION, "v3") != pushed
    assert app_version(at(there, pinned=pushed).packed()) == "v2"
    assert app_version(at(there).packed()) == "v3"


def test_a_registry_that_is_away_is_not_missed_by_what_is_kept(there: Registry, shop: Path) -> None:
    pushed = there.push(shop, VERSION, "v2")
    at(there).packed()
    there.end()
    assert app_version(at(there, pinned=pushed).packed()) == "v2"
    began = time.monotonic()
    with pytest.raises(HelmError, match=rf"could not be had in {PULL_TRIES} tries.*connection refused"):
        at(there, "1.0.0").packed()
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("pinned", [None, f"sha256:{'1' * 64}"])
def test_what_was_never_pushed_is_refused_at_once(there: Registry, shop: Path, pinned: str | None) -> None:
    there.push(shop, VERSION)
    with pytest.raises(SetupError, match=r"does not give the chart .* not found.*helm push"):
        at(there, "9.9.9", pinned).packed()


def test_a_registry_that_wants_to_know_who_asks_is_told_by_helms_login(tmp_path: Path, shop: Path) -> None:
    with registry(tmp_path, "-password", "of-reader") as there:
        with pytest.raises(SetupError, match="helm registry login"):
            at(there).packed()
        called("registry", "login", there.address, "-u", "reader", "-p", "of-reader", "--plain-http")
        assert at(there, pinned=there.push(shop, VERSION)).packed().is_file()


def test_an_authority_of_ones_own_is_trusted_by_the_environment(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = str(tmp_path / "crt"), str(tmp_path / "key")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=registry", "-keyout", key]
    subprocess.run(
        [*make, "-out", cert, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, timeout=60, capture_output=True
    )
    with registry(tmp_path, "-cert", cert, "-key", key) as there:
        with pytest.raises(SetupError, match="certificate"):
            at(there).packed()
        monkeypatch.setenv("SSL_CERT_FILE", cert)
        assert at(there, pinned=there.push(shop, VERSION)).packed().is_file()
