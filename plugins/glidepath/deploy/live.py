"""The objects of Helm's manifests as the cluster has them, of any kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes import client

from glidepath.deploy.added import Field, with_fields
from glidepath.deploy.overlay import Laid
from glidepath.errors import ClusterError
from glidepath.kube import APPLY, FIELD_MANAGER, HELM, MERGE, STATE, TOKEN, WRITE, Objects, request

# Helm writes its release's name on all that it makes.
MADE_BY, MADE_IN = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
HIGHEST_WRITE = "999999999999999"
SLICES = "discovery.k8s.io/v1/endpointslices"
# By this Helm leaves an object where it is.
POLICY, KEEP = "helm.sh/resource-policy", "keep"
MANAGED_BY = "app.kubernetes.io/managed-by"
# Owns what makes a workload one of a version, beside Helm: no write of a claim gives it up.
KEEPER = f"{FIELD_MANAGER}-version"


class Live:
    """Reads objects by what a manifest says of them, and asks the API server what an apply would make of them.

    Args:
        api: An API client.
        release: Helm's name of the release.
        namespace: The namespace of what names none.
    """

    def __init__(self, api: client.ApiClient, release: str, namespace: str) -> None:
        self._api, self.release, self.namespace = api, release, namespace
        self._known: dict[str, Mapping[str, Mapping[str, Any]]] = {}

    def find(self, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        """The object; None when it is not there, may not be read, or is of a kind that the cluster has not.

        Raises:
            ClusterError: The API did not answer.
        """
        path = self._path(manifest)
        return None if path is None else self._if_there(path, manifest["metadata"]["name"])

    def applied(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """What the object would be if Helm applied this; nothing is written.

        Raises:
            ClusterError: It would be refused: `status` 409 for a field that somebody else owns.
        """
        body = self._owned(manifest)
        body["metadata"]["annotations"][WRITE] = HIGHEST_WRITE  # what is left held would refuse a dry run as well
        return self._apply(body, HELM, force=False, dry_run=True)

    def put(self, manifest: Mapping[str, Any]) -> None:
        """Apply an object as Helm would, so that the release's next upgrade takes it for its own.

        Raises:
            ClusterError: The API refused: `status` 409 for a field that somebody else owns.
        """
        self._apply(self._owned(manifest), HELM, force=False, dry_run=False)

    def _owned(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The object with what Helm writes on all that a release has made."""
        metadata = manifest["metadata"]
        labels = {**(metadata.get("labels") or {}), MANAGED_BY: "Helm"}
        notes = {**(metadata.get("annotations") or {}), MADE_BY: self.release, MADE_IN: self.namespace}
        return {**manifest, "metadata": {**metadata, "labels": labels, "annotations": notes}}

    def keep_on_upgrade(self, manifest: Mapping[str, Any], keep: bool = True) -> None:
        """Have Helm keep an object that its release no longer makes, or not. Does nothing if there is no such object."""
        path = self._path(manifest)
        name = manifest["metadata"]["name"]
        if path is not None and self._if_there(path, name) is not None:
            body = {"metadata": {"annotations": {POLICY: KEEP if keep else None}}}
            query = [("fieldManager", FIELD_MANAGER)]
            request(self._api, f"keeping {manifest['kind']} {name}", "PATCH", path, name, body, query, MERGE)

    def delete_made(self, manifest: Mapping[str, Any]) -> bool:
        """Delete an object if this release made it; True when it did."""
        live = self.find(manifest)
        if live is None or (live["metadata"].get("annotations") or {}).get(MADE_BY) != self.release:
            return False
        self.delete(manifest)
        return True

    def delete(self, manifest: Mapping[str, Any]) -> None:
        """Delete an object with all that belongs to it; gone already is fine.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        path, name = self._path(manifest), manifest["metadata"]["name"]
        body = {"propagationPolicy": "Background"}
        try:
            if path is not None:
                request(self._api, f"deleting {manifest['kind']} {name}", "DELETE", path, name, body)
        except ClusterError as error:
            if error.status != 404:
                raise

    def take(self, manifest: Mapping[str, Any], live: Mapping[str, Any], fields: Sequence[Laid]) -> None:
        """Write fields as Glidepath, whoever owns them; Helm can then apply the same value.

        Raises:
            ClusterError: The API refused: `status` 409 when the object was written since it was read.
        """
        metadata = live["metadata"]
        notes = {key: text for key, text in (metadata.get("annotations") or {}).items() if key in (TOKEN, STATE)}
        body: dict[str, Any] = {key: manifest[key] for key in ("apiVersion", "kind")}
        body["metadata"] = {"name": metadata["name"], "annotations": notes}
        body["metadata"] |= {key: metadata[key] for key in ("resourceVersion", "uid")}
        for field in fields:
            inside = body
            for step in field.path[:-1]:
                inside = inside.setdefault(str(step), {})
            inside[str(field.path[-1])] = field.value
        self._apply(body, FIELD_MANAGER, force=True, dry_run=False)

    def keep(self, manifest: Mapping[str, Any], fields: Sequence[Field]) -> None:
        """Own fields of an object beside Helm, so that they survive an upgrade by somebody who does not know them.

        Does nothing where the object is not there.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        live = self.find(manifest)
        if live is None:
            return
        body: dict[str, Any] = {key: manifest[key] for key in ("apiVersion", "kind")}
        body["metadata"] = {key: live["metadata"][key] for key in ("name", "uid")}
        [made] = with_fields([body], fields)
        self._apply(made, KEEPER, force=True, dry_run=False)

    def label_pods(self, selector: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Label the pods that are there, as what runs them could not without new ones.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        objects = Objects(self._api, self.namespace)
        for pod in self.pods(selector):
            objects.merge("v1/pods", pod, {"metadata": {"labels": dict(labels)}})

    def pods(self, selector: Mapping[str, str]) -> set[str]:
        """The pods that have these labels.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        labels = ",".join(f"{key}={text}" for key, text in selector.items())
        return {pod["metadata"]["name"] for pod in Objects(self._api, self.namespace).list("v1/pods", labels)}

    def endpoints(self, service: str) -> set[str]:
        """The pods that a Service leads to now.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        slices = Objects(self._api, self.namespace).list(SLICES, f"kubernetes.io/service-name={service}")
        ready = [
            endpoint for part in slices for endpoint in part.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready") is not False
        ]  # fmt: skip
        return {endpoint["targetRef"]["name"] for endpoint in ready if endpoint.get("targetRef")}

    def _apply(self, body: Mapping[str, Any], manager: str, force: bool, dry_run: bool) -> dict[str, Any]:
        path = self._path(body)
        if path is None:
            raise ClusterError(f"the cluster has no kind {body['kind']} in {body['apiVersion']}", 404)
        query = [("fieldManager", manager), ("force", json.dumps(force))] + ([("dryRun", "All")] if dry_run else [])
        name = body["metadata"]["name"]
        return request(self._api, f"applying {body['kind']} {name}", "PATCH", path, name, body, query, APPLY)

    def _if_there(self, path: str, name: str = "") -> dict[str, Any] | None:
        try:
            return request(self._api, f"reading {path}/{name}".rstrip("/"), "GET", path, name)
        except ClusterError as error:
            if error.status not in (403, 404):
                raise
            return None

    def _path(self, manifest: Mapping[str, Any]) -> str | None:
        """Where the API has the objects of its kind; None for a kind that it does not know."""
        version, metadata = str(manifest["apiVersion"]), manifest["metadata"]
        base = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        if base not in self._known:
            listed = self._if_there(base) or {}
            kinds = [resource for resource in listed.get("resources") or [] if "/" not in resource["name"]]
            self._known[base] = {resource["kind"]: resource for resource in kinds}
        kind = self._known[base].get(str(manifest["kind"]))
        if kind is None:
            return None
        within = f"/namespaces/{metadata.get('namespace') or self.namespace}" if kind["namespaced"] else ""
        return f"{base}{within}/{kind['name']}"
