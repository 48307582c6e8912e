"""What guards of one process share, and what each has for itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from glidepath.ports import Ports, Watched
from glidepath.record.turns import Turn
from glidepath.release.run import Run
from glidepath.triggers.guard import AT_REST, GuardTrigger
from tests.support.guards import started
from tests.support.stage import Stage

CLUSTER = {"cluster": {"server": "https://127.0.0.1:1"}, "name": "one"}
USER = {"user": {"token": "t"}, "name": "one"}
CONTEXT = {"context": {"cluster": "one", "user": "one"}, "name": "one"}
KUBECONFIG = {
    "apiVersion": "v1", "kind": "Config", "current-context": "one", "clusters": [CLUSTER], "users": [USER], "contexts": [CONTEXT],
}  # fmt: skip


@pytest.fixture
def run(linked: Stage) -> Run:
    return started(linked)[0]


def test_guards_share_a_client_until_the_cluster_refuses_it(
    run: Run, linked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"conn_type": "kubernetes", "extra": {"kube_config": KUBECONFIG}}
    monkeypatch.setenv("AIRFLOW_CONN_KUBERNETES_DEFAULT", json.dumps(extra))
    given: list[Any] = []

    def ports_for(_: object, api_of: Callable[[str], Any]) -> Ports:
        given.append(api_of("kubernetes_default"))
        return linked.ports()

    monkeypatch.setattr("glidepath.hooks.ports.ports_for", ports_for)
    one, other = GuardTrigger(run.id), GuardTrigger(run.id)
    one._run()
    other._run()
    assert given[0] is given[1]
    one._refused = other._refused = time.monotonic()
    one._run()
    other._run()
    assert given[2] is given[3] is not given[0]


def test_a_guard_reads_at_rest_what_is_watched_and_closes_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    closed: list[int] = []

    def watch(within_s: float) -> Watched:
        asked.append(within_s)
        number = len(asked)
        return Watched(run.ports, lambda: closed.append(number))

    watched = replace(run, ports=replace(run.ports, watch=watch))
    trigger = GuardTrigger(run.id)
    monkeypatch.setattr(trigger, "_run", lambda: watched)
    guard = trigger._guard(Turn(1, 0.0, False, 0, None))
    assert asked == [run.spec.lease * AT_REST]
    assert guard._sure.rest.ports is run.ports
    monkeypatch.setattr(trigger._place, "mine", lambda: Turn(1, 0.0, False, 0, None))
    anew = trigger._anew(guard)
    assert (anew._sure.rest is not anew.run, closed) == (True, [1])
    trigger._close()
    trigger._close()
    assert closed == [1, 2]
