"""A small Kubernetes API server in memory, over real HTTP: what `glidepath.kube.Objects` uses of the real one.

Get, list by labels, create, replace, merge patch and server-side apply with field owners; resourceVersion preconditions;
the fence of the chart (an object that is held refuses a lower or missing token, and deletion); Istio's validation. Lists
are atomic, as `spec.http` is. Rules make it fail, wait, or run something just before a request is carried out.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from kubernetes import client

from tests.support.fence import fence
from tests.support.fields import SERVER_SET, Object, Owners, Refused, apply, clone, entry, leaves, merged, owners_of
from tests.support.istio import validate


@dataclass
class Rule:
    """What happens to the next `times` requests of a method whose path contains `part`."""

    method: str
    part: str
    times: int
    status: int = 0
    delay_s: float = 0.0
    run: Callable[[], object] | None = None
    carried_out: bool = False
    text: str = ""


class ApiServer:
    """The server; a context manager. `log` has every request as (method, path, status)."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.log: list[tuple[str, str, int]] = []
        # Of pods: by pod, container, and whether it is that of the container before.
        self.logs: dict[tuple[str, str, bool], str] = {}
        self._rules: list[Rule] = []
        self._version = 1000
        self._lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def api(self) -> client.ApiClient:
        """A real client of this server."""
        return client.ApiClient(client.Configuration(host=self.url))

    def fail(self, method: str, part: str, status: int, times: int = 1, text: str = "") -> None:
        """Answer the next matching requests with a status, and a text, doing nothing."""
        self._rules.append(Rule(method, part, times, status=status, text=text))

    def lose(self, method: str, part: str, status: int = 504) -> None:
        """Carry out the next matching request, but answer as a gateway that lost the answer."""
        self._rules.append(Rule(method, part, 1, status=status, carried_out=True))

    def delay(self, method: str, part: str, seconds: float, times: int = 1) -> None:
        """Wait before the next matching requests."""
        self._rules.append(Rule(method, part, times, delay_s=seconds))

    def slow(self) -> bool:
        """Whether some request will have to wait."""
        return any(rule.times > 0 and rule.delay_s for rule in self._rules)

    def before(self, method: str, part: str, run: Callable[[], object]) -> None:
        """Call something once, just before the next matching request is carried out."""
        self._rules.append(Rule(method, part, 1, run=run))

    def heal(self) -> None:
        """Drop all rules."""
        self._rules.clear()

    def find(self, plural: str, name: str) -> Object:
        """A copy of an object, by its plural and name."""
        with self._lock:
            [found] = [one for (base, at), one in self.objects.items() if at == name and base.endswith(f"/{plural}")]
            return clone(found)

    def all(self, plural: str) -> list[Object]:
        """Copies of all objects of a plural."""
        with self._lock:
            return [clone(one) for (base, _), one in self.objects.items() if base.endswith(f"/{plural}")]

    def writes(self) -> list[str]:
        """The requests so far that were carried out and could change something, such as `PATCH leases`."""
        return [
            f"{method} {path.split('/')[-2]}"
            for method, path, status in self.log
            if method not in ("GET", "WATCH") and status < 300
        ]

    def put(self, base: str, body: Object, manager: str = "helm", force: bool = False) -> Object:
        """Put an object there as another client would have applied it."""
        query = {"fieldManager": manager, "force": str(force).lower()}
        return self._carry_out("PATCH", f"{base}/{body['metadata']['name']}", query, "apply", body)

    def handle(self, method: str, target: str, content_type: str, body: Object | None) -> tuple[int, Object]:
        """Answer one request; of a log, its text."""
        url = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        kind = "apply" if "apply-patch" in content_type else "merge"
        try:
            rule = self._disturb(method, url.path)
            if url.path.endswith("/log"):
                answer: Object = {"text": self._log_of(url.path.split("/")[-2], query)}
            else:
                answer = self._carry_out(method, url.path, query, kind, body)
            status = 201 if method == "POST" else 200
            if rule and rule.carried_out:
                raise Refused(rule.status, "Injected", f"injected {rule.status}")
        except Refused as error:
            status = error.status
            answer = {
                "kind": "Status",
                "status": "Failure",
                "code": status,
                "reason": error.reason,
                "message": error.message,
            }
        self.log.append((method, url.path, status))
        return status, answer

    def _disturb(self, method: str, path: str) -> Rule | None:
        """At most one rule a request, the oldest that matches."""
        with self._lock:
            matching = (one for one in self._rules if one.times > 0 and one.method == method and one.part in path)
            rule = next(matching, None)
            if rule is None:
                return None
            rule.times -= 1
        if rule.run:
            rule.run()
        time.sleep(rule.delay_s)
        if rule.status and not rule.carried_out:
            raise Refused(rule.status, "Injected", rule.text or f"injected {rule.status}")
        return rule

    def _carry_out(self, method: str, path: str, query: dict[str, str], patch: str, body: Object | None) -> Object:
        with self._lock:
            parts = path.strip("/").split("/")
            if "namespaces" not in parts:  # as the chart's own role answers
                raise Refused(403, "Forbidden", f"{parts[-1]} is forbidden: cannot list at the cluster scope")
            at = parts.index("namespaces") + 3
            base, name = "/" + "/".join(parts[:at]), parts[at] if len(parts) > at else ""
            if method == "GET" and not name:
                selected = self._selected(base, query.get("labelSelector", ""), query.get("fieldSelector", ""))
                return {"kind": "List", "items": clone(selected)}
            if method == "POST":
                return self._create(base, body or {}, query.get("fieldManager", "client"))
            old = self.objects.get((base, name))
            if old is None and not (method == "PATCH" and patch == "apply"):
                raise Refused(404, "NotFound", f'{parts[-2]} "{name}" not found')
            if method == "GET":
                return clone(old or {})
            if method == "DELETE":
                fence(base, name, old or {}, None, "", "")
                wanted = ((body or {}).get("preconditions") or {}).get("resourceVersion")
                if old and wanted not in (None, old["metadata"]["resourceVersion"]):
                    raise Refused(409, "Conflict", f"{name} was written since")
                return self.objects.pop((base, name))
            return self._update(method, base, name, old, query, patch, body or {})

    def _log_of(self, pod: str, query: dict[str, str]) -> str:
        key = pod, query["container"], query.get("previous") == "true"
        if key not in self.logs:
            which = "previous terminated container" if key[2] else "container"
            raise Refused(400, "BadRequest", f'{which} "{key[1]}" in pod "{pod}" not found')
        lines = self.logs[key].splitlines(keepends=True)[-int(query["tailLines"]) :]
        return "".join(lines)[: int(query["limitBytes"])]

    def _selected(self, base: str, labels: str, fields: str) -> list[Object]:
        wanted, asked = (dict(one.split("=", 1) for one in selector.split(",") if one) for selector in (labels, fields))
        if asked.keys() - {"involvedObject.kind", "involvedObject.name"}:
            raise Refused(400, "BadRequest", f"field label not supported: {fields}")
        found = [one for (at, _), one in self.objects.items() if at == base]
        about = {name: name.split(".")[1] for name in asked}
        return [
            one
            for one in found
            if wanted.items() <= (one["metadata"].get("labels") or {}).items()
            and all(one["involvedObject"].get(about[name]) == value for name, value in asked.items())
        ]

    def _create(self, base: str, body: Object, manager: str) -> Object:
        name = body["metadata"]["name"]
        if (base, name) in self.objects:
            raise Refused(409, "AlreadyExists", f'{base.split("/")[-1]} "{name}" already exists')
        return self._store(base, name, None, body, owners_of(None) | {(manager, "Update"): set(leaves(body))})

    def _update(
        self, method: str, base: str, name: str, old: Object | None, query: dict[str, str], patch: str, body: Object
    ) -> Object:
        asked, uid = (body.get("metadata", {}).get(key) for key in ("resourceVersion", "uid"))
        plural = base.split("/")[-1]
        # An apply that creates looks at the uid only.
        if uid and (old is None or uid != old["metadata"]["uid"]):
            there = old["metadata"]["uid"] if old else ""
            text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {there}"
            raise Refused(409, "Conflict", text)
        if asked and old is not None and asked != old["metadata"]["resourceVersion"]:
            raise Refused(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {plural} "{name}": the object has been modified; please apply your '
                "changes to the latest version and try again",
            )
        owners, manager = owners_of(old), query.get("fieldManager", "client")
        if method == "PATCH" and patch == "apply":
            new = apply(old, body, owners, manager, query.get("force") == "true")
        else:
            new = clone(body) if method == "PUT" else merged(old or {}, body)
            changed = {leaf for leaf, value in leaves(new).items() if leaves(old or {}).get(leaf, ...) != value}
            for fields in owners.values():
                fields -= changed | (leaves(old or {}).keys() - leaves(new).keys())
            owners[manager, "Update"] = owners.get((manager, "Update"), set()) | changed
        if old is not None:
            fence(base, name, old, new, manager, patch if method == "PATCH" else "update")
        return self._store(base, name, old, new, owners)

    def _store(self, base: str, name: str, old: Object | None, new: Object, owners: Owners) -> Object:
        if old is None and base.endswith("/deployments") and "spec" not in new:
            raise Refused(422, "Invalid", f'Deployment.apps "{name}" is invalid: spec.selector: Required value')
        if base.endswith("/virtualservices"):
            validate(new)
        new = clone(new)
        metadata, was = new["metadata"], old["metadata"] if old else {}
        for key in SERVER_SET:
            metadata.pop(key, None)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        managed = [entry(key, fields, was, now) for key, fields in owners.items() if fields]
        fixed = {key: was[key] for key in ("resourceVersion", "uid", "creationTimestamp") if key in was}
        if old is not None and old == {**new, "metadata": {**metadata, **fixed, "managedFields": managed}}:
            return clone(old)
        self._version += 1
        metadata.update({"creationTimestamp": now, "uid": str(uuid.uuid4())} | fixed)
        metadata.update(resourceVersion=str(self._version), managedFields=managed)
        self.objects[base, name] = new
        return clone(new)


def handler(server: ApiServer) -> type[BaseHTTPRequestHandler]:
    """What answers requests to a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = server.handle(self.command, self.path, self.headers.get("Content-Type", ""), body)
            plain = answer.keys() == {"text"}
            text = (str(answer["text"]) if plain else json.dumps(answer)).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if plain else "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except ConnectionError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do

        def log_message(self, format: str, *args: object) -> None:
            """`ApiServer.log` has them."""

    return Handler


NAMESPACE, SERVICE = "shop", "prices"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
MESH = f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
STATEFULSETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
