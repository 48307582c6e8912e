"""The process: it watches in real time, survives what fails, ends when told, and needs little to be imported."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from glidepath.claim import Claim, LeaseClaims
from glidepath.errors import ClusterError
from glidepath.traffic import Routes, Split
from glidepath.watchdog import __main__ as program
from glidepath.watchdog.facts import Health
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer
from tests.support.installed import install
from tests.support.meshed import Meshed

REPO = Path(__file__).parents[3]
IMAGE = tomllib.loads((REPO / "sandbox" / "images.toml").read_text(encoding="utf-8"))["glidepath-watchdog"]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[tuple[ApiServer, Path]]:
    """A cluster in memory and the file that leads to it."""
    with ApiServer() as server:
        install(server, {"v1": 100, "v2": 0})
        named = {"name": "memory"}
        file = tmp_path / "kubeconfig.json"
        file.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [named | {"cluster": {"server": server.url}}],
                    "users": [named | {"user": {}}],
                    "contexts": [named | {"context": {"cluster": "memory", "user": "memory"}}],
                    "current-context": "memory",
                }
            )
        )
        yield server, file


def eventually(true: object, seconds: float = 30.0) -> None:
    assert callable(true)
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "not within the time"
        time.sleep(0.05)


def test_the_process_brakes_an_abandoned_release_and_ends_on_sigterm(kubeconfig: tuple[ApiServer, Path]) -> None:
    server, file = kubeconfig
    environment = os.environ | {"KUBECONFIG": str(file), "PYTHONPATH": str(REPO / "plugins"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "glidepath.watchdog", "--namespace", NAMESPACE, "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = re.search(r"watching shop; /healthz and /metrics on port (\d+)", first)
        assert port, first
        claim = LeaseClaims(server.api(), NAMESPACE, SERVICE).acquire(
            Claim(NAMESPACE, SERVICE, "run-1", 0, "v1", "v2", 2)
        )
        traffic = Meshed(server.api(), NAMESPACE, SERVICE)
        traffic.take(claim)
        traffic.write(claim, Routes(Split("v1", "v2", 30)))
        eventually(lambda: server.all("events"))
        eventually(lambda: server.find("leases", f"glidepath-{SERVICE}")["spec"]["holderIdentity"] == "")
        assert traffic.read().split == Split("v1", "v2", 0)
        url = f"http://127.0.0.1:{port[1]}"
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
            assert 'glidepath_watchdog_brakes_total{service="prices"} 1\n' in answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


class Failing:
    """A watchdog whose passes end as told, the last of which stops the loop."""

    namespace = "shop"

    def __init__(self, stop: threading.Event, ends: list[Exception | None]) -> None:
        self.stop, self.ends = stop, ends

    def look(self) -> None:
        end = self.ends.pop(0)
        if not self.ends:
            self.stop.set()
        if end is not None:
            raise end


@pytest.mark.parametrize(
    ("ends", "healthy"),
    [
        ([None], True),
        ([ClusterError("away", 0), RuntimeError("unforeseen"), None], True),
        ([ClusterError("away", 0)], False),
        ([RuntimeError("unforeseen")], False),
    ],
)
def test_no_failure_ends_the_loop(monkeypatch: pytest.MonkeyPatch, ends: list[Exception | None], healthy: bool) -> None:
    monkeypatch.setattr(program, "PERIOD_S", 0.0)
    stop, facts = threading.Event(), Health()
    program.watch([Failing(stop, ends)], facts, stop)
    assert ends == []
    assert (facts.passed is not None) is healthy


def test_one_namespace_that_fails_does_not_hide_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PERIOD_S", 0.0)
    stop, facts, ends = threading.Event(), Health(), [None]
    pair = [Failing(threading.Event(), [ClusterError("away", 0)]), Failing(stop, list(ends))]
    program.watch(pair, facts, stop)
    assert pair[1].ends == []
    assert facts.passed is None


def test_outside_a_pod_it_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert program.main(["--namespace", "shop"]) == 2
    assert "expected to run in a pod, or --namespace and KUBECONFIG" in caplog.text


def test_the_namespace_defaults_to_the_pod_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(program, "OWN_NAMESPACE", tmp_path / "namespace")
    assert program.main([]) == 2
    assert str(tmp_path / "namespace") in caplog.text


def test_the_image_has_all_that_is_imported_and_no_more_than_that(tmp_path: Path) -> None:
    """The files of the sandbox's image table alone, without Airflow and what comes with it."""
    for source, inside in IMAGE["copy"].items():
        target = tmp_path / inside.removeprefix("/app/")
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (REPO / source).is_dir() else shutil.copy)(REPO / source, target)
    heavy = ("airflow", "pydantic", "sqlalchemy", "numpy", "prometheus_client", "aiohttp")
    code = f"import sys, glidepath.watchdog.__main__; print([one for one in {heavy} if one in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_dockerfile_copies_what_the_sandbox_packs() -> None:
    text = (REPO / "include" / "watchdog" / "Dockerfile").read_text(encoding="utf-8")
    copied = {part for line in re.findall(r"^COPY (.*)", text, re.MULTILINE) for part in line.split()[:-1]}
    assert copied == {IMAGE["requirements"], *IMAGE["copy"]}
    assert "USER 10001:10001" in text
    assert f'ENTRYPOINT ["python3", "-m", "{IMAGE["entrypoint"][-1]}"]' in text


def test_its_requirements_are_locked_with_hashes() -> None:
    folder = REPO / "include" / "watchdog"
    wanted = [line for line in (folder / "requirements.in").read_text().splitlines() if not line.startswith("#")]
    assert wanted
    for line in wanted:
        assert re.search(rf"^{re.escape(line)} \\\n    --hash=sha256:", (folder / "requirements.txt").read_text(), re.M)
