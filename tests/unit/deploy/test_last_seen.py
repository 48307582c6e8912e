"""Pods that are about to go are looked at a last time, on a real client against an API server in memory."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from glidepath.deploy import KubernetesWorkloads
from glidepath.deploy import last_seen as module
from glidepath.deploy.last_seen import LINE, PODS, LastSeen
from glidepath.errors import ClusterError
from glidepath.kube import Objects
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer, install

CORE = f"/api/v1/namespaces/{NAMESPACE}"
RUNNING = {"running": {"startedAt": "2026-11-28T10:00:00Z"}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    with ApiServer() as made:
        install(made, {"v1": 80, "v2": 20})
        yield made


def pod(server: ApiServer, name: str, *statuses: dict[str, Any], version: str = "v2", **status: Any) -> None:
    """A pod with the containers app and istio-proxy."""
    labels = {"app": SERVICE, "version": version}
    body = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]},
        "status": {"phase": "Running", "containerStatuses": list(statuses), **status},
    }  # fmt: skip
    server.put(f"{CORE}/pods", body)


def app(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The status of the container app."""
    return {"name": "app", "state": state, "restartCount": 0, "ready": False, **more}


def event(server: ApiServer, name: str, about: str, reason: str, message: str, **more: Any) -> None:
    body = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "reason": reason, "message": message,
        "involvedObject": {"kind": "Pod", "name": about}, **more,
    }  # fmt: skip
    server.put(f"{CORE}/events", body)


def seen(server: ApiServer, lines: int = 30) -> LastSeen:
    return KubernetesWorkloads(server.api(), NAMESPACE, SERVICE).last_seen("v2", lines)


def test_one_that_crashed_is_told_with_the_lines_before_its_crash_and_what_the_cluster_noted(server: ApiServer) -> None:
    killed = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
    pod(server, "prices-v2-a", app(waits, restartCount=4, lastState=killed))
    server.logs["prices-v2-a", "app", True] = "loading the model\n" + "x" * 1000 + '\n{"level": "fatal"}\n'
    event(server, "b", "prices-v2-a", "BackOff", "restarting", lastTimestamp="2026-11-28T10:02:00Z", count=7)
    event(server, "a", "prices-v2-a", "Scheduled", "to node-1", lastTimestamp="2026-11-28T10:00:00Z")
    event(server, "c", "prices-v1-a", "Killing", "of another version", lastTimestamp="2026-11-28T10:03:00Z")
    found = seen(server)
    [one] = found.pods
    [container] = one.containers
    assert container.state == "waiting: CrashLoopBackOff: back-off 40s; ended before: OOMKilled, exit code 137"
    assert container.restarts == 4
    first, long, last = container.log
    assert (first, last) == ("loading the model", '{"level": "fatal"}')
    assert (len(long), long[-1]) == (LINE, "…")
    assert one.events == ("Scheduled: to node-1", "BackOff: restarting (7 times)")
    assert found.missing == ""


def test_one_that_runs_is_told_with_its_last_lines(server: ApiServer) -> None:
    pod(server, "prices-v2-a", app(RUNNING, ready=True))
    server.logs["prices-v2-a", "app", False] = "".join(f"line {number}\n" for number in range(100))
    [container] = seen(server, 3).pods[0].containers
    assert (container.state, container.log) == ("running", ("line 97", "line 98", "line 99"))


@pytest.mark.parametrize("state", [{"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}, {}])
def test_a_container_that_never_ran_has_no_log_to_ask_for(server: ApiServer, state: dict[str, Any]) -> None:
    pod(server, "prices-v2-a", app(state))
    found = seen(server)
    assert found.pods[0].containers[0].log == ()
    assert found.missing == ""


def test_what_keeps_a_pod_from_starting_is_told_too(server: ApiServer) -> None:
    failed = {"name": "migrate", "state": {"terminated": {"reason": "Error", "exitCode": 2, "message": "no table\n"}}}
    done = {"name": "warm", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}
    pod(server, "prices-v2-a", app({"waiting": {"reason": "PodInitializing"}}), initContainerStatuses=[failed, done])
    server.logs["prices-v2-a", "migrate", False] = "no table prices\n"
    migrate, own = seen(server).pods[0].containers
    assert (migrate.name, migrate.state, migrate.log) == (
        "migrate", "ended: Error, exit code 2: no table", ("no table prices",),
    )  # fmt: skip
    assert own.state == "waiting: PodInitializing"


def test_of_many_those_that_are_worst_off_are_told(server: ApiServer) -> None:
    for number in range(6):
        pod(server, f"prices-v2-{number}", app(RUNNING, ready=number != 4, restartCount=0 if number != 5 else 2))
        server.logs[f"prices-v2-{number}", "app", number == 5] = "a line\n"
    pod(server, "prices-v1-a", app(RUNNING), version="v1")
    found = seen(server)
    assert [one.name for one in found.pods] == ["prices-v2-4", "prices-v2-5", "prices-v2-0"]
    assert found.missing == f"{6 - PODS} more pods"


def test_without_lines_no_log_is_read(server: ApiServer) -> None:
    pod(server, "prices-v2-a", app(RUNNING))
    assert seen(server, 0).pods[0].containers[0].log == ()
    assert not any(path.endswith("/log") for _, path, _ in server.log)


def test_what_may_not_be_read_is_named_and_the_rest_is_told(server: ApiServer) -> None:
    pod(server, "prices-v2-a", app(RUNNING))
    server.fail("GET", "/log", 403, text='pods "prices-v2-a" is forbidden: cannot get resource "pods/log"')
    server.fail("GET", "/events", 403, text="events is forbidden")
    found = seen(server)
    assert found.pods[0].containers[0].state == "running, not ready"
    assert 'cannot get resource "pods/log"' in found.missing
    assert "events is forbidden" in found.missing


def test_pods_that_can_not_be_listed_are_none(server: ApiServer) -> None:
    server.fail("GET", "/pods", 500, times=9)
    found = seen(server)
    assert found.pods == ()
    assert "500" in found.missing


def test_an_api_that_has_become_slow_is_not_asked_for_long(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    for name in "abc":
        pod(server, f"prices-v2-{name}", app(RUNNING))
        server.logs[f"prices-v2-{name}", "app", False] = "a line\n"
    server.delay("GET", "/log", 0.3, times=3)
    found = seen(server)
    assert [one.containers[0].log for one in found.pods] == [("a line",), (), ()]
    assert "reading took over" in found.missing


def test_a_log_is_asked_for_once_though_no_answer_comes() -> None:
    asked: list[object] = []

    class HangsUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.client_address)

    with socketserver.TCPServer(("127.0.0.1", 0), HangsUp) as outside:
        threading.Thread(target=outside.serve_forever, daemon=True).start()
        api = client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{outside.server_address[1]}"))
        with pytest.raises(ClusterError, match="did not answer"):
            Objects(api, NAMESPACE).log("prices-v2-a", [("container", "app")])
        outside.shutdown()
    assert len(asked) == 1
