"""One call to the Kubernetes API: time-outs, bounded retries of what may be retried, and one kind of error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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

# Of every call: by the client's token, and nothing but the answer.
PLAINLY: dict[str, Any] = {"auth_settings": ["BearerToken"], "_return_http_data_only": True}

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
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


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
    headers = {"Accept": accept, "Content-Type": content_type}
    send = partial(_send, api, f"{path}/{name}" if name else path, method, body, query, headers)
    right = (api.configuration.host, method if name else f"{method} all", path)
    patience = float(getattr(api, "glidepath_refused_s", REFUSED_S)) if right in _had else 0.0
    answer = call(what, send, refused_s=patience)
    _had.add(right)
    return answer


def _send(
    api: client.ApiClient,
    path: str,
    method: str,
    body: Mapping[str, Any] | None,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
) -> dict[str, Any]:
    _tried_once(api)
    answer: dict[str, Any] = api.call_api(
        path,
        method,
        query_params=[*query],
        header_params=dict(headers),
        body=body,
        response_types_map=dict.fromkeys((200, 201, 202), "object"),
        _request_timeout=CALL_TIMEOUT_S,
        **PLAINLY,
    )
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
            _preload_content=False,
            _request_timeout=CALL_TIMEOUT_S,
            **PLAINLY,
        )
        return bytes(answer.data).decode("utf-8", "replace")

    _tried_once(api)
    return call(what, send, attempts=1)
