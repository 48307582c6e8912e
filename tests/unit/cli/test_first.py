"""`glidepath init`: what it finds, writes, and says is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glidepath.cli import first
from glidepath.cli.main import GOOD, REFUSED, main
from glidepath.evidence.fitting import fitting
from glidepath.policy.load import parse_policy
from tests.support.apiserver import DEPLOYMENTS, NAMESPACE, SERVICE, SERVICES, ApiServer
from tests.support.installed import install
from tests.unit.evidence.behaviour.test_presets import fastapi_instrumentator, kept, mesh, otel_http
from tests.unit.evidence.exposed import Exposed

POD = f"{SERVICE}-v1-5d4f9c7b6d-x2k9q"


class Answering(Exposed):
    """Knows native histograms, too: there are none."""

    def range_histograms(self, *_: Any) -> list[Any]:
        return []


def exposing(*scrapes: str, **target: str) -> Answering:
    """A service's pod that exposes the same again and again, and more at the end; every five seconds."""
    scraped = Answering()
    for number in range(20):
        text = scrapes[0] if number < 19 else scrapes[-1]
        scraped.scrape(1000 + 5 * number, text, **(target or {"pod": POD, "namespace": NAMESPACE, "instance": POD}))
    scraped.at = 1097
    return scraped


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        install(server, {"v1": 100})
        for one in server.all("deployments"):
            one["metadata"]["annotations"] = {"meta.helm.sh/release-name": "shop-release"}
            one["status"] = {"availableReplicas": 2}
            server.put(DEPLOYMENTS, one)
        server.put(
            SERVICES,
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": SERVICE},
                "spec": {"selector": {"app": SERVICE}},
            },
        )
        yield server


@pytest.fixture
def found(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `init` finds: set the samples that Prometheus has."""

    def of(scraped: Answering) -> list[str]:
        monkeypatch.setattr(first, "cluster", lambda *_: server.api())
        monkeypatch.setattr(first, "prometheus_at", lambda *_: scraped)
        return ["init", "--service", SERVICE, "-n", NAMESPACE, "--prometheus", "http://p"]

    return of


def istio(count: int) -> str:
    text = mesh("source", "v1", count, response_code="200", grpc_response_status="")
    return text.replace('name="shop"', f'name="{SERVICE}"').replace('namespace="prod"', f'namespace="{NAMESPACE}"')


@pytest.mark.parametrize("name", ["promhttp", "grpc", "micrometer"])
def test_the_preset_that_fits_is_found_and_no_other(name: str) -> None:
    fits = fitting(exposing(*kept(name)), NAMESPACE, SERVICE, "v1")
    assert [one.source for one in fits] == [name]
    assert (fits[0].pods, round(fits[0].per_s * 95)) == (1, 114)
    assert fits[0].cadence is not None
    assert (fits[0].cadence.interval, fits[0].cadence.lag) == (5, 0)


def test_those_of_one_counter_are_told_apart_by_their_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"fastapi-instrumentator": fastapi_instrumentator(), "otel-http": otel_http(monkeypatch)}
    for name, scrapes in made.items():
        assert [one.source for one in fitting(exposing(*scrapes), NAMESPACE, SERVICE, "v1")] == [name]


def test_the_mesh_goes_first_and_what_else_there_is_is_told(found: Any, capsys: pytest.CaptureFixture[str]) -> None:
    scraped = exposing(istio(10), istio(200), pod="caller", namespace="edge")
    for at in (1090, 1095):
        scraped.scrape(at, kept("promhttp")[0], pod=POD, namespace=NAMESPACE)
    assert [one.source for one in fitting(scraped, NAMESPACE, SERVICE, "v1")] == ["istio", "promhttp"]
    assert main(found(scraped)) == GOOD
    out = capsys.readouterr().out
    assert re.search(
        r"# there as well: promhttp \([0-9.]+ a second\)\. .*\{kind: errors, source: promhttp, role: guard\}", out
    )


def test_of_grpc_in_the_mesh_the_codes_are_taken() -> None:
    first_, then = (istio(count).replace('grpc_response_status=""', 'grpc_response_status="0"') for count in (1, 9))
    assert [one.source for one in fitting(exposing(first_, then, pod="c"), NAMESPACE, SERVICE, "v1")] == ["istio-grpc"]


def test_a_policy_is_written_that_is_valid(found: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = found(exposing(*kept("promhttp")))
    assert main(argv) == GOOD
    out, err = capsys.readouterr()
    policy = parse_policy(out, "p", tmp_path)
    assert (policy.service, policy.namespace, policy.helm.release) == (SERVICE, NAMESPACE, "shop-release")
    assert (policy.evidence.source, policy.evidence.scrape, policy.evidence.lag) == ("promhttp", 5, 0)
    assert [(one.title, one.role) for one in policy.metrics] == [
        ("errors", "critical"), ("latency_p95", "critical"), ("client-errors", "guard"),
    ]  # fmt: skip
    assert "# 1.2 requests a second of v1, counted by 1 pods" in out
    assert err == ""


def test_it_is_written_into_a_file_once(found: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv, file = [*found(exposing(*kept("grpc"))), "--file", str(tmp_path / "p.yaml")], tmp_path / "p.yaml"
    assert main(argv) == GOOD
    before = file.read_text()
    capsys.readouterr()
    assert main([*argv[:-1], str(tmp_path / "other.yaml"), "--dry-run"]) == GOOD
    assert capsys.readouterr().out == before
    assert not (tmp_path / "other.yaml").exists()
    assert main(["validate", str(file)]) == GOOD
    capsys.readouterr()
    assert main(argv) == REFUSED
    assert f"{file} is there already" in capsys.readouterr().err
    assert file.read_text() == before


def test_as_json_with_all_that_was_found(found: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*found(exposing(*kept("promhttp"))), "-o", "json"]) == GOOD
    told = json.loads(capsys.readouterr().out)
    assert told["cluster"]["versions"] == {"v1": 2}
    assert [one["source"] for one in told["evidence"]] == ["promhttp"]
    assert "source: promhttp" in told["policy"]


def test_without_any_evidence_a_policy_is_written_and_that_is_said(
    found: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(found(exposing("up 1\n"))) == GOOD
    out, err = capsys.readouterr()
    assert "source: istio                  # nothing was found" in out
    assert "missing: Prometheus has no requests of v1 by any preset" in err


def test_what_the_cluster_lacks_is_said(found: Any, server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    for plural in ("virtualservices", "services"):
        server.objects = {key: one for key, one in server.objects.items() if not key[0].endswith(plural)}
    server.put(DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": SERVICE}, "spec": {}})
    assert main(found(exposing(*kept("promhttp")))) == GOOD
    err = capsys.readouterr().err
    assert f"missing: Deployment {SERVICE} is no version of {SERVICE}: expected the name {SERVICE}-VERSION" in err
    assert "missing: no routes that can be shifted" in err
    assert f"missing: no Service {SERVICE}" in err


def test_a_service_that_is_not_there_is_refused(
    found: Any, server: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.objects.clear()
    assert main(found(exposing("up 1\n"))) == REFUSED
    assert f"and none that is a version, such as {SERVICE}-v1 with the labels" in capsys.readouterr().err
