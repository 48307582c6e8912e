"""What the pods of a version were like when they were seen last: their states, events and last lines of their logs.

They are gone once a canary is taken back, and with them the answer to "why did it fail?".
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glidepath.deploy.mesh import PROXY
from glidepath.errors import ClusterError
from glidepath.kube import Objects

# Of many pods those that are worst off are told of, and of each so many events.
PODS, EVENTS = 3, 5
# A line is cut at so many characters, a log at so many bytes; nothing new is asked for after so many seconds.
LINE, LOG_BYTES, PATIENCE_S = 300, 16_000, 10.0


@dataclass(frozen=True)
class ContainerSeen:
    """A container.

    Attributes:
        state: Such as "running", "waiting: ImagePullBackOff: ...", "ended: OOMKilled, exit code 137".
        restarts: How often it was started again.
        log: Its last lines; of one that was started again those before that.
    """

    name: str
    state: str
    restarts: int
    log: tuple[str, ...]


@dataclass(frozen=True)
class PodSeen:
    """A pod: its phase, its containers, and what the cluster noted of it, oldest first."""

    name: str
    phase: str
    containers: tuple[ContainerSeen, ...]
    events: tuple[str, ...]


@dataclass(frozen=True)
class LastSeen:
    """The pods of a version that are worst off; `missing` says what could not be read, and is empty where all could."""

    pods: tuple[PodSeen, ...]
    missing: str = ""


def last_seen(objects: Objects, selector: str, lines: int) -> LastSeen:
    """Look at the pods a last time. What can't be read is left out and named.

    Args:
        objects: The service's namespace.
        selector: The labels of the version's pods.
        lines: How many lines of each log.
    """
    reader = _Reader(objects, lines)
    try:
        pods = sorted(objects.list("v1/pods", selector), key=_worst_first)
    except ClusterError as error:
        return LastSeen((), str(error))
    seen = tuple(reader.pod(pod) for pod in pods[:PODS])
    left = [f"{len(pods) - PODS} more pods"] if len(pods) > PODS else []
    return LastSeen(seen, "; ".join([*dict.fromkeys(reader.missing), *left]))


class _Reader:
    def __init__(self, objects: Objects, lines: int) -> None:
        self._objects, self._lines = objects, lines
        self._until = time.monotonic() + PATIENCE_S
        self.missing: list[str] = []

    def pod(self, pod: Mapping[str, Any]) -> PodSeen:
        name, status = str(pod["metadata"]["name"]), pod.get("status") or {}
        known = {state["name"]: state for state in _statuses(status)}
        spec_names = [
            container["name"] for container in pod.get("spec", {}).get("containers") or [] if container["name"] != PROXY
        ]
        failed = [name for name, state in known.items() if name not in spec_names and name != PROXY and _failed(state)]
        containers = tuple(
            self._container(name, container, known.get(container, {})) for container in [*failed, *spec_names]
        )
        return PodSeen(name, str(status.get("phase") or "Unknown"), containers, tuple(self._events(name)))

    def _container(self, pod: str, name: str, status: Mapping[str, Any]) -> ContainerSeen:
        restarts = int(status.get("restartCount") or 0)
        log = self._log(pod, name, restarts > 0) if self._lines and _has_run(status) else ()
        return ContainerSeen(name, _state(status), restarts, log)

    def _log(self, pod: str, container: str, previous: bool) -> tuple[str, ...]:
        query = [("container", container), ("tailLines", str(self._lines)), ("limitBytes", str(LOG_BYTES))]
        if time.monotonic() > self._until:
            self.missing.append(f"reading took over {PATIENCE_S:.0f} s")
            return ()
        try:
            text = self._objects.log(pod, [*query, ("previous", "true")] if previous else query)
        except ClusterError as error:
            self.missing.append(str(error))
            return ()
        return tuple(_cut(line) for line in text.splitlines()[-self._lines :])

    def _events(self, pod: str) -> Iterator[str]:
        if time.monotonic() > self._until:
            return
        try:
            events = self._objects.list("v1/events", fields=f"involvedObject.kind=Pod,involvedObject.name={pod}")
        except ClusterError as error:
            self.missing.append(str(error))
            return
        for event in sorted(events, key=_when)[-EVENTS:]:
            times = f" ({event['count']} times)" if int(event.get("count") or 1) > 1 else ""
            yield _cut(f"{event.get('reason')}: {event.get('message')}{times}")


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[: LINE - 1]}…"


def _when(event: Mapping[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _statuses(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _worst_first(pod: Mapping[str, Any]) -> tuple[bool, int, str]:
    every = _statuses(pod.get("status") or {})
    ready = bool(every) and all(status.get("ready") for status in every)
    return ready, -sum(int(status.get("restartCount") or 0) for status in every), str(pod["metadata"]["name"])


def _has_run(status: Mapping[str, Any]) -> bool:
    state = status.get("state") or {}
    return "running" in state or "terminated" in state or int(status.get("restartCount") or 0) > 0


def _failed(status: Mapping[str, Any]) -> bool:
    """Whether a container that comes before the pod's own keeps it from starting."""
    state = status.get("state") or {}
    return "waiting" in state or (state.get("terminated") or {}).get("exitCode", 0) != 0


def _state(status: Mapping[str, Any]) -> str:
    state = status.get("state") or {}
    if ended := state.get("terminated"):
        return _ended("ended", ended)
    before = (status.get("lastState") or {}).get("terminated")
    after = f"; {_ended('ended before', before)}" if before else ""
    if waits := state.get("waiting"):
        why = f": {waits['message']}" if waits.get("message") else ""
        return _cut(f"waiting: {waits.get('reason')}{why}{after}")
    ready = "running" if status.get("ready") else "running, not ready"
    return f"{ready if 'running' in state else 'not started'}{after}"


def _ended(how: str, ended: Mapping[str, Any]) -> str:
    why = f": {ended['message'].strip()}" if ended.get("message") else ""
    return _cut(f"{how}: {ended.get('reason')}, exit code {ended.get('exitCode')}{why}")
