"""`glidepath adopt`: what it asks for before anything is touched, and what it calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glidepath.cli import adopted
from glidepath.cli.main import GOOD, REFUSED, USAGE, main
from glidepath.policy import Image
from tests.support.apiserver import LEASES, ApiServer

POLICY = """\
service: prices
namespace: shop
helm: {release: prices, chart: charts/prices, per_version: true}
steps: [{weight: 50}]
"""
DIGEST = "sha256:" + "0123456789abcdef" * 4


class Called:
    """An adoption that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.say: Callable[[str], None] = print

    def forth(self, version: str, image: Image) -> None:
        self.asked.append((version, image))

    def back(self) -> None:
        self.asked.append("back")

    def forth_would(self, version: str, image: Image) -> str:
        return f"{version} of {image.tag} would be adopted"

    def back_would(self) -> str:
        return "it would go back"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Called, ApiServer]]:
    port = Called()

    def adoption(*given: Any) -> Called:
        port.say = given[-1]
        return port

    monkeypatch.setattr("glidepath.wiring.deploy.adoption", adoption)
    with ApiServer() as server:
        monkeypatch.setattr(adopted, "cluster", lambda *_: server.api())
        yield port, server


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY)
    return str(path)


def test_a_version_goes_by_its_name_with_its_image(called: tuple[Called, ApiServer], file: str) -> None:
    assert main(["adopt", file, "--version", "1.4.2"]) == GOOD
    assert main(["adopt", file, "--back"]) == GOOD
    assert called[0].asked == [("1-4-2", Image("1.4.2")), "back"]


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        ([], USAGE, "expected --version VERSION, or --back"),
        (["--back", "--version", "v1"], USAGE, "expected --version VERSION, or --back"),
        (["--version", DIGEST], REFUSED, "helm.paths.digest does not say where the chart takes one"),
        (["--version", "a b"], REFUSED, "version: given 'a b'"),
        (["--version", "v1", "--drain", "-1"], USAGE, "--drain"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_touched(
    called: tuple[Called, ApiServer],
    file: str,
    argv: list[str],
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["adopt", file, *argv]) == code
    assert words in capsys.readouterr().err
    assert called[0].asked == []


def test_a_policy_of_one_release_is_refused(
    called: tuple[Called, ApiServer], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_text(POLICY.replace(", chart: charts/prices, per_version: true", ""))
    assert main(["adopt", file, "--version", "v1"]) == REFUSED
    assert "helm.per_version is false" in capsys.readouterr().err
    assert called[0].asked == []


def test_while_a_release_holds_the_service_nothing_is_adopted(
    called: tuple[Called, ApiServer], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port, server = called
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "glidepath-prices"}}
    server.put(LEASES, {**lease, "spec": {"holderIdentity": "dag/run", "leaseDurationSeconds": 60}})
    assert main(["adopt", file, "--version", "v1"]) == REFUSED
    assert "dag/run" in capsys.readouterr().err
    assert port.asked == []


def test_a_dry_run_says_what_would_be_and_does_nothing(
    called: tuple[Called, ApiServer], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adopt", file, "--version", "1.4.2", "--dry-run"]) == GOOD
    assert capsys.readouterr().out == "1-4-2 of 1.4.2 would be adopted\n"
    assert main(["adopt", file, "--back", "--dry-run", "-o", "json"]) == GOOD
    told = {"service": "prices", "per_version": False, "dry_run": True, "would": ["it would go back"]}
    assert json.loads(capsys.readouterr().out) == told
    assert called[0].asked == []
