"""Helm's command line: what it is given, what is made of its answers, and its failures. Helm itself is a script here."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from kubernetes import client

from glidepath.deploy import Helm
from glidepath.deploy.charts import LocalChart
from glidepath.errors import HelmError, PreflightError, SetupError

SCRIPT = """#!/usr/bin/env python3
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
calls = here / "calls.jsonl"
args = sys.argv[1:]
given = pathlib.Path(args[args.index("--values") + 1]).read_text() if "--values" in args else None
with calls.open("a") as log:
    config = json.loads(pathlib.Path(args[args.index("--kubeconfig") + 1]).read_text())
    leads = sorted(name for name in os.environ if name.startswith(("HELM_KUBE", "KUBECONFIG")))
    log.write(json.dumps({"args": args, "values": given, "config": config, "leads": leads}) + "\\n")
answers = json.loads((here / "answers.json").read_text())
answer = answers.get(args[0], "")
if args[0] == "get":
    answer = answers["get --all"] if "--all" in args else answers["get"]
if args[:2] == ["get", "manifest"]:
    answer = answers["manifest"]
if "--dry-run=server" in args:
    answer = answers["dry run"]
if "--set" in args and "dry run with --set" in answers and "--dry-run=server" in args:
    answer = answers["dry run with --set"]
if isinstance(answer, dict) and "sleep" in answer:
    (here / "pid").write_text(str(os.getpid()))
    time.sleep(answer["sleep"])
if isinstance(answer, dict) and "fail" in answer:
    sys.exit(answer["fail"])
print(answer if isinstance(answer, str) else json.dumps(answer))
"""


T = TypeVar("T")
API = client.ApiClient(client.Configuration(host="https://ours:6443", api_key={"BearerToken": "Bearer of-ours"}))


class Script:
    """A Helm that answers what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.binary = folder, folder / "helm"
        self.binary.write_text(SCRIPT)
        self.binary.chmod(0o755)
        self.chart = folder / "chart"
        self.chart.mkdir()
        (self.chart / "Chart.yaml").write_text("name: x")
        self.answer(version="v4.3.1", list=[], get=None, **{"dry run": {"manifest": "", "hooks": []}})

    def answer(self, **answers: object) -> None:
        old = json.loads(self.answers.read_text()) if self.answers.exists() else {}
        self.answers.write_text(json.dumps(old | answers))

    @property
    def answers(self) -> Path:
        return self.folder / "answers.json"

    def upgrades(self) -> list[list[str]]:
        """The arguments of each upgrade that was no dry run."""
        every = [[str(word) for word in call["args"]] for call in self.calls]  # type: ignore[attr-defined]
        return [args for args in every if args[0] == "upgrade" and "--dry-run=server" not in args]

    @property
    def calls(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "calls.jsonl").read_text().splitlines()]

    def helm(self) -> Helm:
        return Helm(LocalChart(self.chart), "sms-app", "sms-app", API, str(self.binary))


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """A fresh one."""
    return Script(tmp_path)


def test_helm_4_is_accepted_and_helm_3_refused_with_the_reason(script: Script) -> None:
    assert script.helm().check() == "v4.3.1"
    script.answer(version="v3.17.0")
    with pytest.raises(PreflightError, match=r"v3\.17\.0, expected v4.*undo a rollback"):
        script.helm().check()


def test_helm_ends_with_the_task_that_started_it_though_that_is_killed(script: Script) -> None:
    script.answer(list={"sleep": 60})
    code = f"from pathlib import Path; from kubernetes.client import ApiClient; from glidepath.deploy import Helm; from glidepath.deploy.charts import LocalChart; Helm(LocalChart(Path({str(script.chart)!r})), 'a', 'b', ApiClient(), {str(script.binary)!r}).status()"
    task = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: (script.folder / "pid").exists() and (script.folder / "pid").read_text())
    helm = Path("/proc", (script.folder / "pid").read_text())
    assert helm.exists()
    task.kill()
    task.wait(10)
    wait_for(lambda: not helm.exists())


def wait_for(find: Callable[[], T], seconds: float = 30.0) -> T:
    """What it finds, once it does."""
    until = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def test_a_missing_helm_or_chart_is_named(script: Script) -> None:
    with pytest.raises(PreflightError, match="GLIDEPATH_HELM"):
        Helm(LocalChart(script.chart), "a", "b", API, "/no/helm").check()
    with pytest.raises(HelmError, match="GLIDEPATH_HELM"):
        Helm(LocalChart(script.chart), "a", "b", API, "/no/helm").status()
    with pytest.raises(PreflightError, match="no Helm chart"):
        Helm(LocalChart(Path("/no/chart")), "a", "b", API, str(script.binary)).check()


def test_helm_works_on_the_clients_cluster_whatever_its_own_environment_says(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "HELM_KUBEAPISERVER", "HELM_KUBECONTEXT", "HELM_KUBETOKEN"):
        monkeypatch.setenv(name, "another cluster's")
    script.helm().status()
    (call,) = script.calls
    config = call["config"]
    assert isinstance(config, dict)
    assert config["clusters"][0]["cluster"]["server"] == "https://ours:6443"
    assert config["users"][0]["user"] == {"token": "of-ours"}
    assert call["leads"] == []
    assert "of-ours" not in str(call["args"])


def test_a_release_that_is_not_there_is_none(script: Script) -> None:
    assert script.helm().status() is None


def test_a_release_whose_name_only_looks_alike_is_another(script: Script) -> None:
    theirs = {"name": "sms1app", "revision": "7", "status": "failed"}
    script.answer(list=[theirs], get={"a": 1})
    assert script.helm().status() is None
    script.answer(list=[theirs, {"name": "sms-app", "revision": "2", "status": "deployed"}])
    assert script.helm().status().revision == 2  # type: ignore[union-attr]


def test_an_upgrade_passes_values_as_a_file_and_never_forces(script: Script) -> None:
    evil = {"roles": {"canary": "$(touch /tmp/x); {{ .Values }}"}}
    script.answer(list=[{"name": "sms-app", "revision": "2", "status": "deployed"}], get={"old": 1}, upgrade={})
    done = script.helm().upgrade(evil, timeout_s=60)
    (args,) = script.upgrades()
    assert [json.loads(str(call["values"])) for call in script.calls if call["values"]] == [evil, evil]
    assert not any("touch" in arg for arg in args)
    assert not any("force" in arg or "post-renderer" in arg for arg in args)
    assert "--server-side=true" in args
    assert args[args.index("--timeout") + 1] == "60s"
    assert done.revision == 2


def test_an_upgrade_to_what_is_there_does_nothing(script: Script) -> None:
    script.answer(list=[{"name": "sms-app", "revision": "2", "status": "deployed"}], get={"a": 1})
    assert script.helm().upgrade({"a": 1}).revision == 2
    assert all(one["args"][0] != "upgrade" for one in script.calls)  # type: ignore[index]


def test_helms_own_words_are_in_the_error(script: Script) -> None:
    script.answer(list=[], upgrade={"fail": 'Error: conflict with "glidepath": .spec.http'})
    with pytest.raises(HelmError, match=r"exit code 1: Error: conflict with .glidepath."):
        script.helm().upgrade({})


def test_a_helm_that_hangs_is_given_up(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.deploy.helm.QUERY_TIMEOUT_S", 1)
    script.answer(list={"sleep": 30})
    started = time.monotonic()
    with pytest.raises(HelmError, match="did not end within 1 s"):
        script.helm().status()
    assert time.monotonic() - started < 10


HISTORY = [
    {"revision": 1, "status": "superseded"},
    {"revision": 2, "status": "deployed"},
    {"revision": 3, "status": "failed"},
]


def test_a_revision_left_pending_is_rolled_back_to_the_last_that_was_deployed(script: Script) -> None:
    pending = [{"name": "sms-app", "revision": "4", "status": "pending-upgrade"}]
    script.answer(list=pending, history=HISTORY, get={}, rollback="")
    with pytest.raises(HelmError, match="pending-upgrade"):
        script.helm().upgrade({"a": 1})
    verbs = [one["args"][0] for one in script.calls]  # type: ignore[index]
    assert verbs.index("rollback") < verbs.index("upgrade")
    (back,) = (one["args"] for one in script.calls if one["args"][0] == "rollback")  # type: ignore[index]
    assert isinstance(back, list)
    assert back[1:3] == ["sms-app", "2"]
    assert "--no-hooks" in back
    script.answer(rollback={"fail": 'Error: conflict with "kubectl": .spec.replicas'})
    with pytest.raises(HelmError, match="helm rollback"):  # still pending: nothing may go on
        script.helm().upgrade({"a": 1})


def test_what_an_upgrade_would_be_is_told_though_another_is_pending(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.deploy.live.Live.find", lambda *_: None)
    pending = [{"name": "sms-app", "revision": "4", "status": "pending-upgrade"}]
    script.answer(list=pending, history=HISTORY, get={"a": 1}, **{"dry run": MANIFEST % ("1", "2")})
    seen = script.helm().preview({"a": 1})
    assert [one["kind"] for one in seen.objects] == ["ConfigMap"]
    asked = [one["args"] for one in script.calls if "--dry-run=server" in one["args"]]  # type: ignore[operator]
    assert {args[0] for args in asked} == {"template"}  # type: ignore[index]


def test_after_a_refused_upgrade_what_was_deployed_last_counts(script: Script) -> None:
    failed = [{"name": "sms-app", "revision": "3", "status": "failed"}]
    script.answer(list=failed, history=HISTORY, get={"a": 1}, upgrade={}, **{"get --all": {"a": 1, "b": 2}})
    found = script.helm().status()
    assert found is not None
    assert (found.revision, found.newest, found.status, found.values) == (2, 3, "failed", {"a": 1})
    assert script.helm().effective_values() == {"a": 1, "b": 2}
    asked = [one["args"] for one in script.calls if one["args"][0] == "get"]  # type: ignore[index]
    assert [args[args.index("--revision") + 1] for args in asked] == ["2", "2"]  # type: ignore[attr-defined]
    with pytest.raises(HelmError, match="its status is 'failed'"):  # by this script, which never deploys
        script.helm().upgrade({"a": 1})
    assert len(script.upgrades()) == 1


MANIFEST = """\
kind: ConfigMap
apiVersion: v1
metadata: {name: limits}
data: {MAX: "%s", MIN: "%s"}
"""


@pytest.mark.parametrize(
    ("runs", "as_integers"),
    [(("1500000", "2000000"), ["a.MAX=1500000", "a.MIN=2000000"]), (("1.5e+06", "2e+06"), [])],
    ids=["given as integers", "given in a file"],
)
def test_large_numbers_are_given_as_what_runs_was_given_them(
    script: Script, runs: tuple[str, str], as_integers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.deploy.live.Live.find", lambda *_: None)
    script.answer(
        list=[{"name": "sms-app", "revision": "2", "status": "deployed"}],
        get={"a": {"MAX": 1500000, "MIN": 2000000, "ON": True, "SMALL": 999999}},
        manifest=MANIFEST % runs,
        upgrade={},
        **{
            "dry run": {"manifest": MANIFEST % ("1.5e+06", "2e+06")},
            "dry run with --set": {"manifest": MANIFEST % ("1500000", "2000000")},
        },
    )
    script.helm().upgrade({"a": {"MAX": 1500000, "MIN": 2000000}, "b": 1})
    (args,) = script.upgrades()
    assert [args[at + 1] for at, word in enumerate(args) if word == "--set"] == as_integers


def test_a_pinned_chart_is_that_one_or_none(tmp_path: Path) -> None:
    script = Script(tmp_path)
    chart = tmp_path / "chart.tgz"
    chart.write_bytes(b"reviewed")
    digest = f"sha256:{hashlib.sha256(b'reviewed').hexdigest()}"
    pinned = Helm(LocalChart(chart, digest), "sms-app", "sms-app", API, str(script.binary))
    assert pinned.check() == "v4.3.1"
    chart.write_bytes(b"another")
    with pytest.raises(PreflightError, match=r"is sha256:.*the policy's helm\.digest is sha256:"):
        pinned.check()
    before = len(script.calls)
    with pytest.raises(SetupError, match="pin it"):
        pinned.upgrade({"a": 1})
    assert [call["args"][0] for call in script.calls[before:]] == ["list"]  # type: ignore[index]
    with pytest.raises(PreflightError, match="helm package it"):
        Helm(LocalChart(script.chart, digest), "sms-app", "sms-app", API, str(script.binary)).check()
