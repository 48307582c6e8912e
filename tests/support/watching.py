"""The API server in memory with what watches need: versions of lists, pages, events, bookmarks, 410, ends and breaks.

As the real one: events come in the order of the writes, a watch that asks for a version which is no longer kept gets an
ERROR event of 410. A bookmark comes two seconds before the end, but only where something was written since the watch began:
of a kind of which nobody writes anything the real one says nothing at all.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.apiserver import ApiServer, handler
from tests.support.fields import Object, Owners, Refused, clone

EXPIRED = "too old resource version"


@dataclass(frozen=True)
class Event:
    """A write: where, at which version, and what became of the object."""

    base: str
    version: int
    what: str
    found: Object


class WatchingApiServer(ApiServer):
    """The server; `watches` counts those that are open.

    Attributes:
        down: Whether watches are answered with 503.
        forbidden: Verb and plural that the account may not, such as ("watch", "leases").
        everywhere: Whether the account may list and watch in all namespaces at once.
        silent: Whether open watches send nothing, as a connection of which only one end is left.
        page: So many objects a page at most.
    """

    def __init__(self) -> None:
        self.forbidden: set[tuple[str, str]] = set()
        self.silent, self.everywhere, self.down, self.page, self.watches = False, False, False, 500, 0
        self._events: list[Event] = []
        self._kept_since, self._cuts, self._ends = 0, 0, 0
        self._pages: dict[str, tuple[str, list[Object]]] = {}
        self._bookmarks = 0
        super().__init__()
        self._changed = threading.Condition(self._lock)
        self._http.RequestHandlerClass = _watching(self)

    def compact(self) -> None:
        """Keep no version so far: watches that begin there are refused. Those that are open have all that was sent to them."""
        with self._changed:
            self._version += 1
            self._kept_since = self._version

    def cut(self) -> None:
        """Break every open watch, in the middle of what it sends."""
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()

    def end(self) -> None:
        """End every open watch, as when its time is over."""
        with self._changed:
            self._ends += 1
            self._changed.notify_all()

    def bookmark(self) -> None:
        """Have every open watch say where it is."""
        with self._changed:
            self._bookmarks += 1
            self._changed.notify_all()

    def asked(self, verb: str, plural: str) -> int:
        """How often a plural was asked for by `get`, `list` or `watch`."""
        return sum(one == (verb, plural) for one in map(_verb, self.log))

    def _carry_out(self, method: str, path: str, query: dict[str, str], patch: str, body: Object | None) -> Object:
        with self._changed:
            plural, is_list = _plural(path)
            if method == "GET" and is_list:
                if ("list", plural) in self.forbidden:
                    raise Refused(403, "Forbidden", f'{plural} is forbidden: cannot list resource "{plural}"')
                listed = self._listed(path) or super()._carry_out(method, path, query, patch, body)
                return self._paged(listed, query)
            before = dict(self.objects)
            answer = super()._carry_out(method, path, query, patch, body)
            self._note(before)
            return answer

    def _store(self, base: str, name: str, old: Object | None, new: Object, owners: Owners) -> Object:
        new = clone(new)
        new["metadata"]["namespace"] = base.split("/namespaces/")[1].split("/")[0]
        return super()._store(base, name, old, new, owners)

    def _listed(self, path: str) -> Object | None:
        """All objects of a kind; None for what is asked of one namespace, or not allowed."""
        if "/namespaces/" in path or not self.everywhere:
            return None
        found = [one for (base, _), one in self.objects.items() if _meets(base, path)]
        return {"kind": "List", "items": clone(found)}

    def _paged(self, listed: Object, query: dict[str, str]) -> Object:
        version, items = str(self._version), listed["items"]
        if token := query.get("continue"):
            if token not in self._pages:
                raise Refused(410, "Expired", "The provided continue parameter is too old")
            version, items = self._pages.pop(token)
        most = min(int(query.get("limit") or self.page), self.page)
        metadata = {"resourceVersion": version}
        if len(items) > most:
            metadata["continue"] = f"more-{len(self._pages)}-{time.monotonic_ns()}"
            self._pages[metadata["continue"]] = version, items[most:]
        return {**listed, "items": items[:most], "metadata": metadata}

    def _note(self, before: dict[tuple[str, str], Object]) -> None:
        for key in before.keys() | self.objects.keys():
            was, now = before.get(key), self.objects.get(key)
            if was is now:
                continue
            if now is None:
                self._version += 1
                gone = clone(was or {})
                gone["metadata"]["resourceVersion"] = str(self._version)
                self._events.append(Event(key[0], self._version, "DELETED", gone))
            else:
                what = "ADDED" if was is None else "MODIFIED"
                self._events.append(Event(key[0], int(now["metadata"]["resourceVersion"]), what, clone(now)))
        self._changed.notify_all()

    def stream(self, send: Any, target: str, metadata: bool) -> bool:
        """Serve a watch until it ends; whether it ended well."""
        url = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        until = time.monotonic() + float(query.get("timeoutSeconds") or 60)
        with self._changed:
            self.watches += 1
            seen, cuts, ends, bookmarks = int(query["resourceVersion"]), self._cuts, self._ends, self._bookmarks
            due = until - 2
            try:
                if seen < self._kept_since:
                    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": EXPIRED}
                    send({"type": "ERROR", "object": status})
                    return True
                while True:
                    if not self.silent:
                        for event in [one for one in self._events if _meets(one.base, url.path) and one.version > seen]:
                            if self._selects(event, query):
                                send({"type": event.what, "object": _cut(event.found, metadata)})
                            seen = event.version
                        is_due = time.monotonic() > due and seen > int(query["resourceVersion"])
                        if self._bookmarks > bookmarks or is_due:
                            bookmarks, due = self._bookmarks, float("inf")
                            seen = max(seen, self._version)
                            send({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(seen)}}})
                    if self._cuts > cuts:
                        return False
                    if (self._ends > ends or time.monotonic() > until) and not self.silent:
                        return True
                    self._changed.wait(0.05)
            finally:
                self.watches -= 1

    def _selects(self, event: Event, query: dict[str, str]) -> bool:
        wanted = dict(one.split("=", 1) for one in query.get("labelSelector", "").split(",") if one)
        return wanted.items() <= (event.found["metadata"].get("labels") or {}).items()


def _verb(logged: tuple[str, str, int]) -> tuple[str, str]:
    method, path, _ = logged
    plural, is_list = _plural(path)
    return ("list" if is_list else "get") if method == "GET" else method.lower(), plural


def _plural(path: str) -> tuple[str, bool]:
    parts = path.strip("/").split("/")
    at = parts.index("namespaces") + 2 if "namespaces" in parts else len(parts) - 1
    return parts[at], len(parts) == at + 1


def _meets(base: str, path: str) -> bool:
    """Whether objects of a base are asked for by a path: that very one, or the same of all namespaces."""
    start, _, rest = base.partition("/namespaces/")
    return path in (base, f"{start}/{rest.split('/')[1]}")


def _cut(found: Object, metadata: bool) -> Object:
    return {"kind": "PartialObjectMetadata", "metadata": found["metadata"]} if metadata else found


def _watching(server: WatchingApiServer) -> type[BaseHTTPRequestHandler]:
    plain: Any = handler(server)

    class Handler(plain):  # type: ignore[misc]
        def do_GET(self) -> None:
            if "watch=true" not in self.path:
                super().do_GET()
                return
            plural = _plural(urlsplit(self.path).path)[0]
            server.log.append(("WATCH", urlsplit(self.path).path, 200))
            if server.down:
                self._whole(503, {"kind": "Status", "code": 503, "message": "down"})
                return
            if ("watch", plural) in server.forbidden:
                self._whole(403, {"kind": "Status", "code": 403, "message": f"{plural} is forbidden: cannot watch"})
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                if server.stream(self._send, self.path, "PartialObjectMetadata" in self.headers.get("Accept", "")):
                    self.wfile.write(b"0\r\n\r\n")
                    return
            except ConnectionError:
                pass
            self.close_connection = True

        def _send(self, event: Object) -> None:
            text = json.dumps(event).encode() + b"\n"
            self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
            self.wfile.flush()

        def _whole(self, status: int, answer: Object) -> None:
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler
