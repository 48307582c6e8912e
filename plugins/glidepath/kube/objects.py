"""Namespaced objects of the Kubernetes API, whatever their kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kubernetes import client

from glidepath.kube.calls import request, text
from glidepath.kube.names import FIELD_MANAGER

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Objects:
    """Custom and built-in namespaced objects as plain dictionaries.

    Args:
        api: An API client; its configuration says where and as whom.
        namespace: The namespace of every call.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api, self.namespace = api, namespace

    def path(self, kind: str, everywhere: bool = False) -> str:
        """The API path of a kind such as `apps/v1/deployments`, in the namespace or in every one."""
        prefix = "/api/" if kind.count("/") == 1 else "/apis/"
        group, _, plural = kind.rpartition("/")
        place = "" if everywhere else f"namespaces/{self.namespace}/"
        return f"{prefix}{group}/{place}{plural}"

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Read one object.

        Raises:
            ClusterError: `status` 404 when it is not there.
        """
        return self._call(f"reading {kind} {name}", "GET", kind, name)

    def list(self, kind: str, selector: str = "", fields: str = "") -> Sequence[dict[str, Any]]:
        """Read all objects that a selector of labels, and one of fields, matches."""
        query = [(name, value) for name, value in (("labelSelector", selector), ("fieldSelector", fields)) if value]
        listed = self._call(f"listing {kind}", "GET", kind, query=query)
        return list(listed.get("items") or [])

    def list_everywhere(self, kind: str) -> Sequence[dict[str, Any]]:
        """Read all objects of a kind in every namespace; `status` 403 where the client may not."""
        listed = request(self._api, f"listing {kind} everywhere", "GET", self.path(kind, everywhere=True))
        return tuple(listed.get("items") or [])

    def list_metadata(self, kind: str, selector: str) -> Sequence[dict[str, Any]]:
        """The same, their metadata only: what the objects hold is not sent."""
        query = [("labelSelector", selector)]
        listed = request(self._api, f"listing {kind}", "GET", self.path(kind), query=query, accept=METADATA_ONLY)
        return [item["metadata"] for item in listed.get("items") or []]

    def log(self, pod: str, query: Sequence[tuple[str, str]]) -> str:
        """Read a pod's log; `query` as the API has it: container, tailLines, limitBytes, previous."""
        return text(self._api, f"reading the log of pod {pod}", f"{self.path('v1/pods')}/{pod}/log", query)

    def create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object; `status` 409 when it exists."""
        return self._call(f"creating {kind}", "POST", kind, body=body)

    def replace(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Replace an object at its resourceVersion; `status` 409 when somebody was first."""
        name = body["metadata"]["name"]
        return self._call(f"updating {kind} {name}", "PUT", kind, name, body)

    def merge(self, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Merge-patch an object; a resourceVersion in the body is a precondition."""
        query = [("fieldManager", FIELD_MANAGER)]
        return self._call(f"patching {kind} {name}", "PATCH", kind, name, body, query, MERGE)

    def delete(self, kind: str, name: str, resource_version: str) -> None:
        """Delete an object as it was read; `status` 409 when somebody has written it since, 404 when it is gone."""
        body = {"propagationPolicy": "Background", "preconditions": {"resourceVersion": resource_version}}
        self._call(f"deleting {kind} {name}", "DELETE", kind, name, body)

    def apply(self, kind: str, body: dict[str, Any], force: bool = True) -> dict[str, Any]:
        """Server-side apply as field manager `glidepath`; a resourceVersion in the body is a precondition."""
        name = body["metadata"]["name"]
        query = [("fieldManager", FIELD_MANAGER), ("force", str(force).lower()), ("fieldValidation", "Strict")]
        return self._call(f"applying {kind} {name}", "PATCH", kind, name, body, query, APPLY)

    def _call(self, what: str, method: str, kind: str, *arguments: Any, **more: Any) -> dict[str, Any]:
        return request(self._api, what, method, self.path(kind), *arguments, **more)


# Makes what reads and writes the objects of a namespace.
Opened = Callable[[client.ApiClient, str], Objects]
