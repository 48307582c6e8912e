"""What is called in the cluster after a service and its version. Knows nothing else: the watchdog has it too."""

from __future__ import annotations

import hashlib
import re

# What a label's value has at most, and so the name of what is led to by one.
LABEL = 63
# What the names of a version's objects have at most. Pods of a StatefulSet are labelled with its name, a dash and ten letters;
# Helm takes 53; and names of pods, which are cut at 58, still begin with all of it.
LONGEST, TOLD_APART = 52, 8
_SHORTENED = re.compile(rf"-[0-9a-f]{{{TOLD_APART}}}$")


def shortened(name: str, longest: int) -> str:
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
    return shortened(f"{service}-{version}", LONGEST)
