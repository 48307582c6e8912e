"""Whether a version's pods can take traffic, from its Deployment."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from glidepath.errors import ClusterError, NotReadyError
from glidepath.kube import Objects, editor

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


@dataclass(frozen=True)
class Shape:
    """What a version's Deployment asks for, and who wrote it last.

    Attributes:
        wanted: Replicas.
        pods: A digest of its pods' specification and labels; annotations are left out, so a restart is no change.
        replicas_by, pods_by: The clients that wrote these, and when.
    """

    wanted: int
    pods: str
    replicas_by: str
    pods_by: str


@dataclass(frozen=True)
class Revision:
    """A revision of a Helm release, as Helm's own secret says, and when it was written."""

    number: int
    status: str
    by: str


class Workloads:
    """Deployments of one service's versions, named `<service>-<version>`."""

    def __init__(self, api: client.ApiClient, namespace: str, service: str) -> None:
        self._apps = client.AppsV1Api(api)
        self._core = client.CoreV1Api(api)
        self._objects = Objects(api, namespace)
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

    def shape(self, version: str) -> Shape | None:
        """What a version's Deployment asks for; None when it is not there.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        try:
            found = self._objects.get("apps/v1/deployments", f"{self.service}-{version}")
        except ClusterError as error:
            if error.status == 404:
                return None
            raise
        spec, managed = found["spec"], found["metadata"].get("managedFields") or []
        template = spec.get("template") or {}
        pods = {"spec": template.get("spec"), "labels": (template.get("metadata") or {}).get("labels")}
        digest = hashlib.sha256(json.dumps(pods, sort_keys=True).encode()).hexdigest()[:16]
        by = [editor(managed, "f:spec", field) for field in ("f:replicas", "f:template")]
        return Shape(int(spec.get("replicas") or 0), digest, *by)

    def helm_revision(self, release: str) -> Revision | None:
        """The newest revision of a Helm release; cheaper than asking Helm, and it may be under way. None without any.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        found = self._objects.list_metadata("v1/secrets", f"owner=helm,name={release}")
        newest = max(found, key=lambda one: int(one["labels"]["version"]), default=None)
        if newest is None:
            return None
        by = editor(newest.get("managedFields") or [])
        return Revision(int(newest["labels"]["version"]), str(newest["labels"].get("status")), by)

    def wait_ready(
        self,
        version: str,
        timeout_s: float,
        said: Callable[[Readiness], None] = lambda _: None,
        poll_s: float = 1.0,
        least: int = 1,
    ) -> float:
        """Wait until every replica of a version is ready; seconds it took.

        Args:
            version: Which.
            timeout_s: How long at most, seconds.
            said: Told of each change.
            poll_s: Seconds between looks.
            least: How many replicas there must be; an autoscaler takes a while to make them.

        Raises:
            NotReadyError: Not ready within `timeout_s`; says what the pods wait for.
        """
        started = time.monotonic()
        last: Readiness | None = None
        while True:
            now = self.readiness(version)
            if now.complete and now.wanted >= least:
                return time.monotonic() - started
            if now != last:
                said(now)
                last = now
            if time.monotonic() - started > timeout_s:
                raise NotReadyError(
                    f"{self.service} {version} has {now.ready} of {max(least, now.wanted)} replicas ready after "
                    f"{timeout_s:.0f} s, expected all: {now.why or 'no reason given by the pods'}. Look at: "
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
