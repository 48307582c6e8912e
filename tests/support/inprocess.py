"""A Kubernetes client that calls the in-memory API server without HTTP, which takes most of the time of a release in memory.

What is about HTTP itself goes over it: answers that come late, and such as are read as they come (logs, watches).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.support.apiserver import ApiServer


class InProcess(client.ApiClient):  # type: ignore[misc]
    """A real client of a server, but for how requests get there."""

    def __init__(self, server: ApiServer) -> None:
        super().__init__(client.Configuration(host=server.url))
        self._server = server

    def call_api(
        self, path: str, method: str, path_params: Any = None, query_params: Any = None, header_params: Any = None,
        body: Any = None, **more: Any,
    ) -> Any:  # fmt: skip
        """As the real client's."""
        if self._server.slow() or not more.get("_preload_content", True):
            return super().call_api(path, method, path_params, query_params, header_params, body, **more)
        path = path.format(**(path_params or {}))
        target = f"{path}?{urlencode(query_params or [])}"
        sort = (header_params or {}).get("Content-Type", "")

        def send() -> Any:
            sent = None if body is None else json.loads(json.dumps(body))
            code, answer = self._server.handle(method, target, sort, sent)
            if code >= 300:
                refused = ApiException(status=code, reason=answer["reason"])
                refused.body = json.dumps(answer)
                raise refused
            wanted = more["response_types_map"][code]
            return answer if wanted == "object" else self.deserialize(SimpleNamespace(data=json.dumps(answer)), wanted)

        return self.carry(path, method, send)

    def carry(self, path: str, method: str, send: Callable[[], Any]) -> Any:
        """Have a request carried out; a place for accidents."""
        return send()
