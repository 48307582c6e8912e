"""Whether a version's pods can take traffic, from what runs them: a Deployment, or a StatefulSet."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client

from glidepath.deploy.last_seen import LastSeen, last_seen
from glidepath.deploy.live import MADE_BY
from glidepath.deploy.marks import Mark, marks
from glidepath.deploy.shapes import Readiness, Revision, Selector, Shape
from glidepath.errors import ClusterError, NotGoneError, NotReadyError
from glidepath.kube import HELD, HELM, STATE, UNKNOWN, Objects, Opened, editor, may_pass, workload
from glidepath.naming import workload_name


class KubernetesWorkloads:
    """What runs the pods of one service's versions, named `<service>-<version>`.

    Args:
        api: An API client.
        namespace: The service's namespace.
        service: The service.
        opened: Makes what reads and writes the objects of a namespace.
    """

    def __init__(self, api: client.ApiClient, namespace: str, service: str, opened: Opened = Objects) -> None:
        self._objects = opened(api, namespace)
        self.namespace, self.service = namespace, service

    def readiness(self, version: str) -> Readiness:
        """How many replicas of a version are ready now. One that is not there has none.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        deployed = self._deployed(version)
        if deployed is None:
            return Readiness(version, 0, 0, self._none(version))
        wanted, status = int(deployed["spec"].get("replicas") or 0), deployed.get("status") or {}
        behind = status.get("observedGeneration", 0) < deployed["metadata"].get("generation", 0)
        ready = 0 if behind else min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
        return Readiness(version, wanted, ready, "" if ready >= wanted else self._why(version))

    def shape(self, version: str) -> Shape | None:
        """What a version asks for; None when it is not there.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        deployed = self._deployed(version)
        if deployed is None:
            return None
        spec, managed = deployed["spec"], deployed["metadata"].get("managedFields") or []
        template = spec.get("template") or {}
        labels = (template.get("metadata") or {}).get("labels")
        pods = {"spec": template.get("spec"), "labels": labels}
        digest = hashlib.sha256(json.dumps(pods, sort_keys=True).encode()).hexdigest()[:16]
        # Of a scale the API keeps no time, and Helm, which leaves replicas to others, owns them too.
        others = [entry for entry in managed if entry.get("manager") != HELM]
        by = editor(others, "f:spec", "f:replicas")
        by = editor(managed, "f:spec", "f:replicas") if by == UNKNOWN else by.removesuffix(" at None")
        pods_by = editor(managed, "f:spec", "f:template")
        return Shape(int(spec.get("replicas") or 0), digest, by, pods_by, labels or {})

    def selector(self) -> Selector | None:
        """The pods that the Service has; None where there is no Service, none by labels, or it may not be read.

        Raises:
            ClusterError: The API did not answer.
        """
        try:
            service = self._objects.get("v1/services", self.service)
        except ClusterError as error:
            if error.status in (403, 404):
                return None
            raise
        labels = service["spec"].get("selector")
        managed = service["metadata"].get("managedFields") or []
        return Selector(labels, editor(managed, "f:spec", "f:selector")) if labels else None

    def _found(self, version: str) -> tuple[str, dict[str, Any]] | None:
        """What runs the pods of a version, with its kind."""
        return workload(self._objects, workload_name(self.service, version))

    def _deployed(self, version: str) -> dict[str, Any] | None:
        found = self._found(version)
        return found[1] if found else None

    def helm_revision(self, release: str) -> Revision | None:
        """The newest revision of a Helm release; cheaper than asking Helm, and it may be under way. None without any.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        secrets = self._objects.list_metadata("v1/secrets", f"owner=helm,name={release}")
        newest = max(secrets, key=lambda secret: int(secret["labels"]["version"]), default=None)
        if newest is None:
            return None
        by = editor(newest.get("managedFields") or [])
        return Revision(int(newest["labels"]["version"]), str(newest["labels"].get("status")), by)

    def marks(self, release: str) -> list[Mark]:
        """What controllers that bring a cluster to git's state have left on the service and on Helm's `release`.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        return marks(self._objects, self.service, release)

    def wait_ready(
        self,
        version: str,
        timeout_s: float,
        listener: Callable[[Readiness], None] = lambda _: None,
        poll_s: float = 1.0,
        least: int = 1,
    ) -> float:
        """Wait until every replica of a version is ready; seconds it took.

        Args:
            version: Which.
            timeout_s: How long at most, seconds.
            listener: Told of each change.
            poll_s: Seconds between looks.
            least: How many replicas there must be; an autoscaler takes a while to make them.

        Raises:
            NotReadyError: Not ready within `timeout_s`; says what the pods wait for.
            ClusterError: The API refused, or did not answer until then.
        """
        started = time.monotonic()
        last: Readiness | None = None
        while True:
            over = time.monotonic() - started > timeout_s
            now = self._readiness_if_told(version, over)
            if now is None:
                time.sleep(poll_s)
                continue
            if now.complete and now.wanted >= least:
                return time.monotonic() - started
            if now != last:
                listener(now)
                last = now
            if over:
                raise NotReadyError(self._not_ready(version, now, least, timeout_s))
            time.sleep(poll_s)

    def _not_ready(self, version: str, now: Readiness, least: int, after_s: float) -> str:
        return (
            f"{self.service} {version} has {now.ready} of {max(least, now.wanted)} replicas ready after "
            f"{after_s:.0f} s, expected all: {now.why or 'no reason given by the pods'}. Look at: "
            f"kubectl -n {self.namespace} describe pods -l {self._selector(version)}"
        )

    def at_least(self, version: str, count: int) -> bool:
        """Scale a version up that has fewer replicas, whoever they are scaled by else; True when that was written.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        for left in reversed(range(5)):
            found = self._found(version)
            if found is None or int(found[1]["spec"].get("replicas") or 0) >= count:
                return False
            kind, metadata = found[0], found[1]["metadata"]
            body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "spec": {"replicas": count}}
            try:
                self._objects.merge(kind, metadata["name"], body)
                return True
            except ClusterError as error:
                if error.status != 409 or not left:
                    raise
        raise AssertionError("unreachable")

    def remove_forgotten(self, version: str, release: str) -> bool:
        """Delete what runs a version's pods, where Helm made it and forgot it; True when it was there.

        Helm removes what its last finished revision had. An upgrade that was cut off leaves more than that, for good.
        What a release holds, what is going already, and what Helm's `release` did not make is left alone.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        found = self._found(version)
        if found is None or found[1]["metadata"].get("deletionTimestamp"):
            return False
        kind, metadata = found[0], found[1]["metadata"]
        notes = metadata.get("annotations") or {}
        if notes.get(MADE_BY) != release or notes.get(STATE) == HELD:
            return False
        try:
            self._objects.delete(kind, metadata["name"], metadata["resourceVersion"])
        except ClusterError as error:
            if error.status not in (404, 409):
                raise
            return False
        return True

    def wait_gone(self, version: str, timeout_s: float, poll_s: float = 1.0) -> float:
        """Wait until nothing runs pods of a version any more; seconds it took.

        Raises:
            NotGoneError: It is still there after `timeout_s`.
        """
        started = time.monotonic()
        while True:
            over = time.monotonic() - started > timeout_s
            now = self._readiness_if_told(version, over)
            if now is not None and now.why == self._none(version):
                return time.monotonic() - started
            if over:
                raise NotGoneError(f"{workload_name(self.service, version)} is still there after {timeout_s:.0f} s")
            time.sleep(poll_s)

    def last_seen(self, version: str, lines: int) -> LastSeen:
        """See `Workloads.last_seen`."""
        return last_seen(self._objects, self._selector(version), lines)

    def _readiness_if_told(self, version: str, needed: bool) -> Readiness | None:
        """As `readiness`; None for an API that does not answer just now, unless it is `needed`."""
        try:
            return self.readiness(version)
        except ClusterError as error:
            if needed or not may_pass(error.status):
                raise
            return None

    def _selector(self, version: str) -> str:
        return f"app={self.service},version={version}"

    def _none(self, version: str) -> str:
        return f"no Deployment or StatefulSet {workload_name(self.service, version)}"

    def _why(self, version: str) -> str:
        """What the version's pods wait for, in the cluster's own words."""
        try:
            pods = self._objects.list("v1/pods", self._selector(version))
        except ClusterError as error:
            return f"pods could not be listed: {error}"
        return "; ".join(sorted(_waits_for(pod) for pod in pods)) or "no pod yet"


def _waits_for(pod: Mapping[str, Any]) -> str:
    """A pod, and what its containers wait for."""
    status = pod.get("status") or {}
    reasons = []
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            reasons.append(f"{container['name']}: {waiting.get('reason')}")
        elif not container.get("ready"):
            reasons.append(f"{container['name']} not ready")
    return f"{pod['metadata']['name']} ({', '.join(reasons) or status.get('phase')})"
