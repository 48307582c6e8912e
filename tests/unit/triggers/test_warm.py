"""A triggerer's first question is asked at its start: its answer takes seconds, in which no guard could begin."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glidepath.triggers import warm

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


class Runner(SimpleNamespace):
    """The module by which a process asks Airflow, as it is while the process starts."""

    def __init__(self, *answers: Exception | None) -> None:
        super().__init__(RuntimeTaskInstance=self, SUPERVISOR_COMMS=object(), answers=list(answers), asked=[])

    def get_task_states(self, **about: Any) -> dict[str, Any]:
        self.asked.append(about)
        if (answer := self.answers.pop(0)) is not None:
            raise answer
        return {}


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    monkeypatch.setattr(warm, "warmed", threading.Event())
    monkeypatch.setattr(warm, "POLL_S", 0.001)
    return warm.warmed


def test_it_asks_as_soon_as_somebody_would_hear_the_answer(
    cold: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(RuntimeError("start_reader() must be called before send()"), None)
    monkeypatch.setitem(sys.modules, warm.RUNNER, runner)
    warm.ask_once(10)
    assert len(runner.asked) == 2
    assert cold.is_set()


def test_a_refusal_is_an_answer(cold: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(ValueError("404"))
    monkeypatch.setitem(sys.modules, warm.RUNNER, runner)
    warm.ask_once(10)
    assert len(runner.asked) == 1
    assert cold.is_set()


def test_what_a_guard_has_asked_already_is_not_asked_again(
    cold: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(None)
    monkeypatch.setitem(sys.modules, warm.RUNNER, runner)
    cold.set()
    warm.ask_once(10)
    assert runner.asked == []


def test_a_process_that_has_nobody_to_ask_gives_it_up(cold: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, warm.RUNNER, SimpleNamespace())
    warm.ask_once(0.01)
    assert not cold.is_set()


def test_what_airflow_says_too_early_is_no_answer_of_its_own() -> None:
    from airflow.sdk.exceptions import AirflowRuntimeError

    assert not issubclass(AirflowRuntimeError, RuntimeError)


@pytest.mark.parametrize(("process", "asks"), [("triggerer", True), ("scheduler", False), ("api-server", False)])
def test_only_what_a_triggerer_forks_asks(process: str, asks: bool) -> None:
    code = (
        f"import sys, os, threading; sys.argv = ['airflow', {process!r}]; import airflow_local_settings\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "else: print('glidepath-warm' in {one.name for one in threading.enumerate()}, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PLUGINS, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(asks)
