"""Lists and watches of the Kubernetes API, by a client whose connections tell within seconds that their peer is gone."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from glidepath.informers.cache import GoneError
from glidepath.kube import METADATA_ONLY, request

PAGE = 500
CONNECT_S = 3
# So long after it had to end a watch counts as broken.
GRACE_S = 3.0
EVENT_METADATA = METADATA_ONLY.replace("PartialObjectMetadataList", "PartialObjectMetadata")
# Silent peers: asked after so many seconds, so often, so many times; and how long sent bytes may stay unanswered.
IDLE_S, EVERY_S, TIMES, UNANSWERED_MS = 3, 1, 3, 5000
CONNECTIONS = 256


@dataclass(frozen=True)
class Kind:
    """What is watched.

    Attributes:
        kind: Such as `apps/v1/deployments`.
        selector: The labels that its objects have; empty for all.
        metadata: Whether their metadata is all that is asked for.
    """

    kind: str
    selector: str = ""
    metadata: bool = False

    def query(self, **more: str) -> list[tuple[str, str]]:
        """The query's parameters."""
        return [*((("labelSelector", self.selector),) if self.selector else ()), *more.items()]


@dataclass(frozen=True)
class Listed:
    """All objects of a kind, and the version that a watch goes on from."""

    objects: list[dict[str, Any]]
    version: str


def streaming(api: client.ApiClient) -> client.ApiClient:
    """A client of the same cluster, with connections of its own that find out when nobody is there any more."""
    made = client.ApiClient(api.configuration)
    made.default_headers = dict(api.default_headers)
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_S), ("TCP_KEEPINTVL", EVERY_S), ("TCP_KEEPCNT", TIMES), ("TCP_USER_TIMEOUT", UNANSWERED_MS),
    ):  # fmt: skip
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    made.rest_client.pool_manager.connection_pool_kw |= {"socket_options": options, "maxsize": CONNECTIONS}
    made.rest_client.pool_manager.connection_pool_kw["retries"] = False
    return made


def listed(api: client.ApiClient, path: str, kind: Kind) -> Listed:
    """All objects there are now, in pages; never out of what the API server has cached itself.

    Raises:
        ClusterError: The API refused, or did not answer; `status` 410 when the list changed too much meanwhile.
    """
    objects: list[dict[str, Any]] = []
    accept, more = METADATA_ONLY if kind.metadata else "application/json", ""
    while True:
        query = kind.query(limit=str(PAGE), **({"continue": more} if more else {}))
        page = request(api, f"listing {kind.kind}", "GET", path, query=query, accept=accept)
        metadata = page.get("metadata") or {}
        objects += page.get("items") or []
        more = str(metadata.get("continue") or "")
        if not more:
            return Listed(objects, str(metadata["resourceVersion"]))


def watched(
    api: client.ApiClient,
    path: str,
    kind: Kind,
    version: str,
    lasts_s: int,
    opened: Callable[[float], None] = lambda _: None,
) -> Iterator[tuple[dict[str, Any], float]]:
    """The events since a version, each with the time by which it was sent, by the steady clock, seconds.

    What was sent long ago and is only read now, as after a stop of this process, was sent before the watch had to end.

    Args:
        api: As `streaming` makes it.
        path: Of the kind.
        kind: What is watched.
        version: From where on.
        lasts_s: After how many seconds the API ends it.
        opened: Called once the API has begun it, with when it was asked to.

    Raises:
        GoneError: The API no longer has that version.
        ApiException: It refused otherwise.
        urllib3.exceptions.HTTPError, OSError: The connection broke, or was silent for too long.
        ValueError: What came is no event.
    """
    began = time.monotonic()
    with closing(_opened(api, path, kind, version, lasts_s)) as response:
        opened(began)
        left = b""
        for part in response.stream():
            now = time.monotonic()
            *lines, left = (left + part).split(b"\n")
            for line in lines:
                if line.strip():
                    yield json.loads(line), min(now, began + lasts_s)
            if now > began + lasts_s + GRACE_S:
                raise OSError(f"the watch of {kind.kind} goes on after {lasts_s} s, when it had to end")


def _opened(api: client.ApiClient, path: str, kind: Kind, version: str, lasts_s: int) -> Any:
    query = kind.query(
        watch="true", allowWatchBookmarks="true", resourceVersion=version, timeoutSeconds=str(lasts_s)
    )  # fmt: skip
    try:
        return api.call_api(
            path,
            "GET",
            query_params=query,
            header_params={"Accept": EVENT_METADATA if kind.metadata else "application/json"},
            auth_settings=["BearerToken"],
            _return_http_data_only=True,
            _preload_content=False,
            _request_timeout=(CONNECT_S, lasts_s + GRACE_S),
        )
    except client.ApiException as error:
        if error.status == 410:
            raise GoneError(str(error.reason)) from error
        raise
