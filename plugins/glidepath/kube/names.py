"""Names that Glidepath writes on objects, and the clients that write them."""

from __future__ import annotations

DEPLOYMENTS, STATEFULSETS = "apps/v1/deployments", "apps/v1/statefulsets"
# What may run the pods of a version: its path in the API, and what people call it.
WORKLOADS = {DEPLOYMENTS: "Deployment", STATEFULSETS: "StatefulSet"}
WORKLOAD_KINDS = tuple(WORKLOADS.values())
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
