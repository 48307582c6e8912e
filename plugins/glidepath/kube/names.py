"""Names that Glidepath writes on objects, and the clients that write them."""

from __future__ import annotations

import hashlib
import re

DEPLOYMENTS, STATEFULSETS = "apps/v1/deployments", "apps/v1/statefulsets"
# What may run the pods of a version: its path in the API, and what people call it.
WORKLOADS = {DEPLOYMENTS: "Deployment", STATEFULSETS: "StatefulSet"}
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
# What a label's value has at most, and so the name of what is led to by one.
LABEL = 63
# What the names of a version's objects have at most. Pods of a StatefulSet are labelled with its name, a dash and ten letters;
# Helm takes 53; and names of pods, which are cut at 58, still begin with all of it.
LONGEST, TOLD_APART = 52, 8
_SHORTENED = re.compile(rf"-[0-9a-f]{{{TOLD_APART}}}$")


def told_apart(name: str, longest: int) -> str:
    """A name of at most so many letters: itself, or its beginning with a hash of the whole.

    Two names never become one: what is cut has exactly `longest` letters and ends in a hash, and a name that looks like that
    is given a hash as well.
    """
    if len(name) < longest or (len(name) == longest and not _SHORTENED.search(name)):
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:TOLD_APART]
    return f"{name[: longest - TOLD_APART - 1]}-{mark}"


def workload_name(service: str, version: str) -> str:
    """What a version's Deployment or StatefulSet, and its Helm release, are called: `<service>-<version>`, shortened if need be.

    Two versions of a service have two names. `service.workload` in the charts says the same.
    """
    return told_apart(f"{service}-{version}", LONGEST)
