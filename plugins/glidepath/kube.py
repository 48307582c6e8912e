"""Calls to the Kubernetes API: time-outs, bounded retries of what may be retried, and one kind of error."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from glidepath.errors import ClusterError

CALL_TIMEOUT_S = (3, 10)
ATTEMPTS = 3
PAUSE_S = 0.3
# An API server that has just started answers 403 until it knows its roles: up to 9.5 s were seen.
REFUSED_S = 15.0
REFUSED_PAUSE_S = 0.5
DEPLOYMENTS = "apps/v1/deployments"
# Who removed an object: the API keeps nothing about deleted ones.
DELETED = "whoever deleted it; the API server's audit log knows"
FIELD_MANAGER = "glidepath"
# Helm's own name as a field manager, whatever the binary is called.
HELM = "helm"
GROUP = "glidepath.dev"
TOKEN = f"{GROUP}/token"
STATE = f"{GROUP}/state"
# Grows with each of a release's own upgrades through Helm, which carries it knowingly: the fence asks for that.
WRITE = f"{GROUP}/write"
HELD, OPEN = "held", "open"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

# As after a scale to 0: a field of that value has no owner.
UNKNOWN = "a client whose name the API does not keep; its audit log does"

T = TypeVar("T")


def may_pass(status: int) -> bool:
    """Whether the same call may be answered otherwise in a moment; 0 is no answer at all."""
    return status >= 500 or status in (0, 429)


def refused(status: int, text: str) -> bool:
    """Whether a call was refused for want of a right; what an admission policy or webhook denies is no such thing."""
    return status in (401, 403) and "denied" not in text


def call(what: str, do: Callable[[], T], attempts: int = ATTEMPTS, refused_s: float = 0.0) -> T:
    """Make one API call; a server's error, 429 or a lost connection is tried again, a refusal is not.

    Args:
        what: What is done, for the error's text.
        do: The call; must be safe to make twice.
        attempts: How often at most.
        refused_s: For how long it is tried again though the right is refused, seconds.

    Raises:
        ClusterError: With the API's own words; `status` is the HTTP status, 0 without an answer.
    """
    attempt, until = 1, time.monotonic() + refused_s
    while True:
        try:
            return do()
        except ApiException as error:
            status, text = int(error.status or 0), _message(error)
            if refused(status, text) and time.monotonic() < until:
                time.sleep(REFUSED_PAUSE_S)
                continue
            if attempt == attempts or not may_pass(status):
                raise ClusterError(f"{what}: the Kubernetes API answered {status}: {text}", status) from error
        except (urllib3.exceptions.HTTPError, OSError, AttributeError) as error:
            if isinstance(error, AttributeError) and not _is_unanswered(error):
                raise
            if attempt == attempts:
                raise ClusterError(f"{what}: the Kubernetes API did not answer: {error}", 0) from error
        time.sleep(PAUSE_S * attempt)
        attempt += 1


def _is_unanswered(error: AttributeError) -> bool:
    """Whether the client library stumbles over an answer that never came, as when TLS broke: it decodes its body."""
    return isinstance(error.__context__, ApiException) and error.__context__.body is None


def _message(error: ApiException) -> str:
    import json

    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def editor(managed: Sequence[Mapping[str, Any]], *path: str) -> str:
    """Who wrote a field last and when, as `managedFields` has it: the client's name, such as kubectl-edit or helm.

    Args:
        managed: The object's `managedFields`.
        path: Where the field is, in their form: "f:spec", "f:http".
    """
    owners = [entry for entry in managed if _owns(entry.get("fieldsV1") or {}, path)]
    # Times are whole seconds: of two writers in one, it is the one that is neither Helm nor we.
    newest = max(
        owners,
        key=lambda entry: (str(entry.get("time") or ""), entry.get("manager") not in (HELM, FIELD_MANAGER)),
        default=None,
    )
    if newest is None:
        return UNKNOWN
    below = f" ({newest['subresource']})" if newest.get("subresource") else ""
    return f"{newest.get('manager')}{below}" + (f" at {newest['time']}" if newest.get("time") else "")


def _owns(fields: Mapping[str, Any], path: Sequence[str]) -> bool:
    return not path or (path[0] in fields and _owns(fields[path[0]] or {}, path[1:]))


def at_once(api: client.ApiClient) -> client.ApiClient:
    """Have every refusal that a client meets told at once: for who looks again soon, and has others to look after."""
    api.glidepath_refused_s = 0.0
    return api


# The rights that this process has had: (cluster, method, path without the object's name).
_had: set[tuple[str, str, str]] = set()


def request(
    api: client.ApiClient,
    what: str,
    method: str,
    path: str,
    name: str = "",
    body: Mapping[str, Any] | None = None,
    query: Sequence[tuple[str, str]] = (),
    content_type: str = "application/json",
    accept: str = "application/json",
) -> dict[str, Any]:
    """Ask the API for one thing, with time-outs and bounded retries.

    A right that was had before, and is refused, is asked for again for a while: the API server may have just started.

    Args:
        api: An API client; its configuration says where and as whom.
        what: What is done, for the error's text.
        method: The HTTP method.
        path: The path of the kind.
        name: The object's name below it; "" for all of them, which is a right of its own.
        body: What is sent, as JSON.
        query: The query's parameters.
        content_type: What the body is.
        accept: What the answer shall be.

    Raises:
        ClusterError: As `call` does.
    """

    def send() -> dict[str, Any]:
        answer: dict[str, Any] = api.call_api(
            f"{path}/{name}" if name else path,
            method,
            query_params=[*query],
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            response_types_map=dict.fromkeys((200, 201, 202), "object"),
            auth_settings=["BearerToken"],
            _return_http_data_only=True,
            _request_timeout=CALL_TIMEOUT_S,
        )
        return answer

    _tried_once(api)
    right = (api.configuration.host, method if name else f"{method} all", path)
    patience = float(getattr(api, "glidepath_refused_s", REFUSED_S)) if right in _had else 0.0
    answer = call(what, send, refused_s=patience)
    _had.add(right)
    return answer


def _tried_once(api: client.ApiClient) -> None:
    """Have urllib3 try once: `call` tries again, and with three retries below it each time-out would last four times as long."""
    api.rest_client.pool_manager.connection_pool_kw["retries"] = False


def text(api: client.ApiClient, what: str, path: str, query: Sequence[tuple[str, str]]) -> str:
    """Ask the API once for something that is plain text, such as a log; for what nobody waits for, it is not tried again.

    Args:
        api: An API client.
        what: What is done, for the error's text.
        path: Where it is.
        query: The query's parameters.

    Raises:
        ClusterError: As `call` does.
    """

    def send() -> str:
        # Not decoded by the client, which takes a line that is JSON for an object.
        answer = api.call_api(
            path,
            "GET",
            query_params=[*query],
            header_params={"Accept": "*/*"},
            auth_settings=["BearerToken"],
            _return_http_data_only=True,
            _preload_content=False,
            _request_timeout=CALL_TIMEOUT_S,
        )
        return bytes(answer.data).decode("utf-8", "replace")

    _tried_once(api)
    return call(what, send, attempts=1)


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

    def _call(
        self,
        what: str,
        method: str,
        kind: str,
        name: str = "",
        body: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        return request(self._api, what, method, self.path(kind), name, body, query, content_type)


# Makes what reads and writes the objects of a namespace.
Opened = Callable[[client.ApiClient, str], Objects]
