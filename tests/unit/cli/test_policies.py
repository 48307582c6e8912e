"""Policies from a terminal: validity, and a plan that reads only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glidepath.cli import policies
from glidepath.cli.main import GOOD, REFUSED, USAGE, main
from glidepath.cli.outside import prometheus_at
from glidepath.errors import SetupError
from glidepath.release.run import Run
from tests.support.stage import POLICY, Stage

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(POLICY)
    return path


def test_a_valid_policy_says_what_it_counts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(file)]) == GOOD
    out = capsys.readouterr().out
    assert f"{file}: valid; release_" in out
    assert "  requests: app_predictions_total{namespace=" in out


def test_of_a_source_that_was_not_tried_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(POLICY.replace("source: app", "source: aspnet"))
    assert main(["validate", str(file)]) == GOOD
    assert "  WARNING: source: aspnet is untried" in capsys.readouterr().out


def test_each_of_several_is_judged_and_one_that_is_not_valid_refuses(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(POLICY + "stepz: []\n")
    assert main(["validate", str(bad), str(file)]) == REFUSED
    out, err = capsys.readouterr()
    assert f"{bad}:" in err
    assert "stepz: given []: unknown key" in err
    assert f"{file}: valid" in out
    assert main(["validate", "-o", "json", str(bad), str(file)]) == REFUSED
    rows = json.loads(capsys.readouterr().out)
    assert [row["valid"] for row in rows] == [False, True]
    assert rows[1]["metrics"] == ["errors", "latency_p95"]


def test_the_policies_of_the_project_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", *map(str, sorted((ROOT / "include" / "policies").glob("*.yaml")))]) == GOOD
    assert "untried" not in capsys.readouterr().out


def test_a_plan_says_what_the_task_says_and_touches_nothing(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = stage.run("dag/dry", dry_run=True)
    before, asked = stage.written(), len(stage.said)
    monkeypatch.setattr("glidepath.wiring.ports.ports", lambda *_: stage.ports())
    monkeypatch.setattr(policies, "cluster", lambda *_: None)
    argv = ["plan", str(file), "--version", "v2", "--prometheus", "http://prometheus:9090"]
    assert main(argv) == GOOD
    out, err = capsys.readouterr()
    assert out.splitlines() == stage.said[: len(out.splitlines())]
    assert "dry run: would give v2 20 % for at least 10 s" in out
    assert err == ""
    assert main([*argv, "-o", "json"]) == GOOD
    told = json.loads(capsys.readouterr().out)
    assert (told["stable"], told["canary"], told["refused"]) == ("v1", "v2", False)
    assert told["plan"] == task.release.plan
    assert stage.written() == before
    assert len(stage.said) == asked
    assert [one.id for one in stage.record.recent(task.release.service)] == ["dag/dry"]


def test_a_plan_that_the_task_would_refuse_is_refused(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held: Run = stage.run("dag/held")
    from glidepath.release.tasks.claim import claim

    claim(held)
    monkeypatch.setattr("glidepath.wiring.ports.ports", lambda *_: stage.ports())
    monkeypatch.setattr(policies, "cluster", lambda *_: None)
    argv = ["plan", str(file), "--version", "v3", "--prometheus", "http://prometheus:9090"]
    assert main(argv) == REFUSED
    assert "dag/held" in capsys.readouterr().err
    assert main([*argv, "-o", "json"]) == REFUSED
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["refused"]
    assert told["reason"] in err


def test_what_leads_nowhere_is_refused_before_anything_is_asked(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("KUBECONFIG", "PROMETHEUS_URL", "GLIDEPATH_PROMETHEUS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert main(["plan", str(file), "--version", "v2"]) == USAGE
    assert "--prometheus" in capsys.readouterr().err
    gone = str(tmp_path / "gone")
    assert main(["plan", str(file), "--version", "v2", "--prometheus", "http://p", "--kubeconfig", gone]) == REFUSED
    assert f"kubeconfig {gone} leads to no cluster" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "headers", "told"),
    [
        ("ftp://p", (), "expected http://HOST:PORT"),
        ("user:secret@prometheus", (), "expected http://HOST:PORT"),
        ("http://p", ("Bearer x",), "expected 'NAME: VALUE'"),
    ],
)
def test_an_address_or_header_that_is_none(url: str, headers: tuple[str, ...], told: str) -> None:
    with pytest.raises(SetupError, match=told) as caught:
        prometheus_at(url, headers, None)
    assert "secret" not in str(caught.value)


def test_a_password_in_the_address_is_told_to_prometheus_and_nobody_else() -> None:
    made = prometheus_at("https://user:p%40ss@host:9090/prom", ("X-Scope: a:b",), None)
    assert made.url == "https://host:9090/prom"
    assert made._client.headers == {"X-Scope": "a:b", "Authorization": "Basic dXNlcjpwQHNz"}
