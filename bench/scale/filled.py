"""Services in the middle of a release, many of them: what the cluster has of each, and what the record has.

One release is played on the API server in memory, to its first weight; the others are made of it.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import glidepath.evidence.sampled as sampled
from bench.scale.exporter import CANARY, NAMESPACE, STABLE, name_of
from glidepath.kube import DEPLOYMENTS, GROUP, Objects
from glidepath.record import Record
from glidepath.release.drift import note_pods
from glidepath.release.events import Claimed, Entered, HelmUpgrade, Replicas, WeightGiven
from glidepath.release.journal import Journal
from tests.support.apiserver import ApiServer
from tests.support.guards import started
from tests.support.installed import http_routes
from tests.support.stage import Stage

TOKEN, WEIGHT, REVISIONS, REPLICAS = 7, 20, 3, 2
LEASE_S = 50.0
# No step ends while it is measured.
BAKE_S = 36_000.0
VIRTUAL_SERVICES, DESTINATION_RULES = (
    "networking.istio.io/v1/virtualservices",
    "networking.istio.io/v1/destinationrules",
)
MESH = {"apiVersion": "networking.istio.io/v1"}


def release_of(service: str) -> str:
    """The identity of a service's release."""
    return f"release_{service}/bench"


def played(folder: Path) -> tuple[Any, Any]:
    """A release at its first weight, and how its spec has to be for this bench."""
    sampled.wait_silent = lambda *_: 0.0
    folder.mkdir(parents=True)
    with ApiServer() as server:
        run, _ = started(Stage(server, folder))
        release = run.release
    spec = dict(release.spec) | {"lease": LEASE_S, "max_duration": 90_000.0, "namespace": NAMESPACE}
    spec["steps"] = [{**step, "bake": BAKE_S} for step in spec["steps"]]
    settings = release.plan["settings"]
    steps = [{**step, "bake_s": BAKE_S} for step in settings["steps"]]
    return replace(release, plan={**release.plan, "settings": {**settings, "steps": steps}}), spec


def fill(api: Any, record: Record, folder: Path, count: int, load: Any) -> None:
    """Bring so many services and their releases to the first weight.

    Args:
        api: A client of the cluster.
        record: Where the releases are written.
        folder: A place that is free.
        count: How many.
        load: What makes a run of a release's identity.
    """
    release, spec = played(folder)
    objects = Objects(api, NAMESPACE)
    for number in range(count):
        service = name_of(number)
        install(objects, service)
        own = spec | {"service": service, "helm": {**spec["helm"], "release": service}}
        made = replace(
            release, id=release_of(service), service=service, namespace=NAMESPACE, spec=own, token=TOKEN,
            created=time.time(), phase="planned",
        )  # fmt: skip
        record.open_release(made)
        record.set_token(made.id, TOKEN)
        _journal(record, made.id, load)


def _journal(record: Record, identity: str, load: Any) -> None:
    now, journal = time.time(), Journal(record, identity)
    run = load(identity)
    routing = run.ports.traffic.read().routing
    beside = sorted(run.ports.traffic.around(run.fresh).leading)
    journal.write(Claimed(TOKEN, LEASE_S, routing.to_dict(), beside), now)
    record.move(identity, "baking", frozenset({"planned"}))
    journal.write(Entered("baking"), now)
    journal.write(HelmUpgrade(REVISIONS), now)
    journal.write(Replicas({STABLE: REPLICAS, CANARY: REPLICAS}), now)
    note_pods(run)
    journal.write(WeightGiven(1, WEIGHT, 0.1), now)


def install(objects: Objects, service: str) -> None:
    """Make what the cluster has of a service in the middle of a release."""
    held = {f"{GROUP}/token": str(TOKEN), f"{GROUP}/state": "held"}
    for kind, body in _applied(service, held):
        objects.apply(kind, body)
    for revision in range(1, REVISIONS + 1):
        name = f"sh.helm.release.v1.{service}.v{revision}"
        labels = {"owner": "helm", "name": service, "status": "deployed", "version": str(revision)}
        data = {"release": base64.b64encode(os.urandom(3000)).decode()}
        metadata = {"name": name, "labels": labels}
        objects.apply("v1/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    objects.apply("coordination.k8s.io/v1/leases", _lease(service))


def _applied(service: str, held: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    metadata = {"name": service, "labels": {"app": service}, "annotations": held}
    subsets = [{"name": version, "labels": {"version": version}} for version in (STABLE, CANARY)]
    yield DESTINATION_RULES, MESH | {
        "kind": "DestinationRule", "metadata": metadata, "spec": {"host": service, "subsets": subsets},
    }  # fmt: skip
    routes = http_routes({STABLE: 100 - WEIGHT, CANARY: WEIGHT})
    for entry in routes:
        for way in entry["route"]:
            way["destination"]["host"] = service
    routing = {"hosts": [service], "gateways": ["mesh"], "http": routes}
    yield VIRTUAL_SERVICES, MESH | {"kind": "VirtualService", "metadata": metadata, "spec": routing}
    plain = {"name": service, "labels": {"app": service}}
    spec = {"selector": {"app": service}, "ports": [{"name": "http", "port": 8081}]}
    yield "v1/services", {"apiVersion": "v1", "kind": "Service", "metadata": plain, "spec": spec}
    for version in (STABLE, CANARY):
        yield DEPLOYMENTS, _deployment(service, version, held)


def _deployment(service: str, version: str, held: dict[str, str]) -> dict[str, Any]:
    labels = {"app": service, "version": version}
    probe = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 2, "failureThreshold": 2}
    container = {
        "name": "service", "image": f"registry.example.com/{service}:{version}", "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": 8081}, {"name": "metrics", "containerPort": 8082}],
        "env": [{"name": f"SETTING_{number}", "value": "a value of some length"} for number in range(8)],
        "readinessProbe": probe, "livenessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
    }  # fmt: skip
    template = {
        "metadata": {"labels": labels, "annotations": {"prometheus.io/scrape": "true"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 30},
    }
    metadata = {"name": f"{service}-{version}", "labels": labels, "annotations": held}
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _lease(service: str) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    annotations = {
        f"{GROUP}/token": str(TOKEN), f"{GROUP}/stable": STABLE, f"{GROUP}/canary": CANARY,
        f"{GROUP}/virtual-service": service, f"{GROUP}/run-url": "",
    }  # fmt: skip
    metadata = {"name": f"glidepath-{service}", "labels": {f"{GROUP}/claim": "true"}, "annotations": annotations}
    spec = {"holderIdentity": release_of(service), "leaseDurationSeconds": int(LEASE_S), "renewTime": now}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
