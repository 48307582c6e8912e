"""Whether a version's pods can take traffic, from its Deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from glidepath.errors import ClusterError, NotReadyError

CALL_TIMEOUT_S = 10


@dataclass(frozen=True)
class Readiness:
    """Replicas of a version: wanted, at the wanted revision and ready; `why` names what is missing."""

    version: str
    wanted: int
    ready: int
    why: str

    @property
    def complete(self) -> bool:
        """True when every wanted replica is ready."""
        return self.wanted > 0 and self.ready >= self.wanted


class Workloads:
    """Deployments of one service's versions, named `<service>-<version>`."""

    def __init__(self, api: client.ApiClient, namespace: str, service: str) -> None:
        self._apps = client.AppsV1Api(api)
        self._core = client.CoreV1Api(api)
        self.namespace, self.service = namespace, service

    def readiness(self, version: str) -> Readiness:
        """How many replicas of a version are ready now. A Deployment that is not there has none."""
        name = f"{self.service}-{version}"
        try:
            found = self._apps.read_namespaced_deployment(name, self.namespace, _request_timeout=CALL_TIMEOUT_S)
        except ApiException as error:
            if error.status == 404:
                return Readiness(version, 0, 0, f"no Deployment {name}")
            raise ClusterError(f"reading Deployment {name} failed: {error.status} {error.reason}") from error
        wanted, status = int(found.spec.replicas or 0), found.status
        behind = (status.observed_generation or 0) < (found.metadata.generation or 0)
        ready = 0 if behind else min(int(status.updated_replicas or 0), int(status.available_replicas or 0))
        return Readiness(version, wanted, ready, "" if ready >= wanted else self._why(version))

    def wait_ready(
        self, version: str, timeout_s: float, said: Callable[[Readiness], None] = lambda _: None, poll_s: float = 1.0
    ) -> float:
        """Wait until every replica of a version is ready; seconds it took.

        Raises:
            NotReadyError: Not ready within `timeout_s`; says what the pods wait for.
        """
        started = time.monotonic()
        last: Readiness | None = None
        while True:
            now = self.readiness(version)
            if now.complete:
                return time.monotonic() - started
            if now != last:
                said(now)
                last = now
            if time.monotonic() - started > timeout_s:
                raise NotReadyError(
                    f"{self.service} {version} has {now.ready} of {now.wanted} replicas ready after {timeout_s:.0f} s, "
                    f"expected all: {now.why or 'no reason given by the pods'}. Look at: "
                    f"kubectl -n {self.namespace} describe pods -l app={self.service},version={version}"
                )
            time.sleep(poll_s)

    def wait_gone(self, version: str, timeout_s: float, poll_s: float = 1.0) -> float:
        """Wait until no Deployment of a version is left; seconds it took.

        Raises:
            ClusterError: It is still there after `timeout_s`.
        """
        started = time.monotonic()
        while self.readiness(version).why != f"no Deployment {self.service}-{version}":
            if time.monotonic() - started > timeout_s:
                raise ClusterError(f"Deployment {self.service}-{version} is still there after {timeout_s:.0f} s")
            time.sleep(poll_s)
        return time.monotonic() - started

    def _why(self, version: str) -> str:
        """What the version's pods wait for, in the cluster's own words."""
        selector = f"app={self.service},version={version}"
        try:
            pods = self._core.list_namespaced_pod(
                self.namespace, label_selector=selector, _request_timeout=CALL_TIMEOUT_S
            ).items
        except ApiException as error:
            return f"pods could not be listed: {error.status} {error.reason}"
        if not pods:
            return "no pod yet"
        reasons = []
        for pod in pods:
            statuses = pod.status.container_statuses or []
            waiting = [f"{s.name}: {s.state.waiting.reason}" for s in statuses if s.state and s.state.waiting]
            unready = [f"{s.name} not ready" for s in statuses if not s.ready and not (s.state and s.state.waiting)]
            reasons.append(f"{pod.metadata.name} ({', '.join(waiting + unready) or pod.status.phase})")
        return "; ".join(sorted(reasons))
