"""Faults that people make with the VirtualService: entries of their own beside the release's."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from rig.environment import NAMESPACE, RigError, kubectl
from tests.faults.catalogue import Fault
from tests.faults.scene import Scene
from tests.faults.theirs import BETA
from tests.support.world import SERVICE

GROUP = "Routes"
ADMIN = ("admin",)
ROUTES = f"virtualservice/{SERVICE}"
WHILE_HELD = ("deploy", "before weight", "baking", "harm", "gate", "promoting", "rolling back")
WITH_WEIGHT = ("baking", "harm", "gate", "promoting")


def patch(*changes: dict[str, Any]) -> None:
    """A person's edit, as `kubectl edit` sends it."""
    kubectl(
        "patch", ROUTES, "-n", NAMESPACE, "--type=json", "-p", json.dumps(changes), "--field-manager=a-person",
    )  # fmt: skip


def _added(name: str, what: str, entry: dict[str, Any]) -> Fault:
    """An entry that is not the release's, before its own."""

    def strike(_: Scene) -> None:
        patch({"op": "add", "path": "/spec/http/0", "value": entry})

    return Fault(f"{name}-added", GROUP, f"a person adds {what} to the routes", WHILE_HELD, strike, people=ADMIN)


def mirror(scene: Scene) -> None:
    """A person copies all requests to the canary."""
    patch({"op": "add", "path": "/spec/http/0/mirror", "value": {"host": SERVICE, "subset": scene.canary}})


def testers(scene: Scene) -> None:
    """A person leads some callers to the canary, whatever the weights are."""
    match = [{"headers": {"x-tester": {"exact": "1"}}}]
    route = [{"destination": {"host": SERVICE, "subset": scene.canary, "port": {"number": 8081}}}]
    patch({"op": "add", "path": "/spec/http/0", "value": {"match": match, "route": route}})


def elsewhere(scene: Scene) -> None:
    """A team makes a VirtualService of its own that leads another host's callers to the canary."""
    route = [{"destination": {"host": SERVICE, "subset": scene.canary}}]
    spec = {"hosts": ["beta.example.com"], "http": [{"route": route}]}
    made = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": BETA}, "spec": spec}
    kubectl("apply", "-n", NAMESPACE, "-f", "-", given=json.dumps(made))


def narrow(_: Scene) -> None:
    """A person keeps the routes to their own namespace: the gateway knows of none, and answers 404."""
    patch({"op": "add", "path": "/spec/exportTo", "value": ["."]})


def select(scene: Scene) -> None:
    """A person edits the Service's selector: callers reach the canary's pods only, or none."""
    change = {"spec": {"selector": {"version": scene.canary}}}
    kubectl(
        "patch", f"service/{SERVICE}", "-n", NAMESPACE, "--type=merge", "-p", json.dumps(change), "--field-manager=a-person",
    )  # fmt: skip


def delete(_: Scene) -> None:
    """A person deletes the VirtualService: refused while it is held, so it is opened first, as the guide says."""
    with suppress(RigError):
        kubectl("delete", ROUTES, "-n", NAMESPACE, "--wait=false")
        raise AssertionError("a held VirtualService could be deleted")
    kubectl("annotate", "--overwrite", "-n", NAMESPACE, ROUTES, "glidepath.dev/state=open")
    kubectl("delete", ROUTES, "-n", NAMESPACE, "--wait=false")


FAULTS = (
    _added("redirect", "a redirect", {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}),
    _added("foreign-route", "a route to another service", {
        "match": [{"uri": {"prefix": "/static"}}],
        "route": [{"destination": {"host": "traffic-generator", "port": {"number": 8080}}}],
    }),
    Fault("mirror-added", GROUP, "a person mirrors all requests to the canary", WITH_WEIGHT, mirror, people=ADMIN,
          says="mirrors to"),
    Fault("testers-route-added", GROUP, "a person leads callers with a header to the canary", WITH_WEIGHT, testers,
          people=ADMIN, says="beside the weights"),
    Fault("leads-elsewhere", GROUP, "a team's own VirtualService leads callers of another host to the canary", WITH_WEIGHT,
          elsewhere, people=ADMIN, says="beside the weights, since the claim"),
    Fault("routes-narrowed", GROUP, "a person keeps the routes to their own namespace", WITH_WEIGHT, narrow, people=ADMIN,
          callers_may_fail=True, says="exportTo ., expected"),
    Fault("selector-edited", GROUP, "a person edits the Service's selector", ("baking", "gate"), select, people=ADMIN,
          callers_may_fail=True),
    Fault("routes-deleted", GROUP, "a person opens the VirtualService and deletes it", ("deploy", "baking", "harm",
          "gate", "promoting", "rolling back"), delete, people=ADMIN, callers_may_fail=True),
)  # fmt: skip
