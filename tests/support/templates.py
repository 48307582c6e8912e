"""The charts as Helm renders them, and a record of what the service's chart rendered. Needs Helm, no cluster.

`python -m tests.support.templates` writes the record anew, when objects are meant to change.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rig.environment import REPO, cluster

CHART = REPO / "include" / "helm-chart"
OWN_PARTS = REPO / "include" / "charts" / "glidepath"
RECORDED = REPO / "tests" / "chart" / "objects.json"
# What users set of Glidepath's own parts, and what these parts take from the values beside them.
CASES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "another service": {"service": {"name": "prices"}, "roles": {"canary": ""}},
    "all that is optional": {
        "networkPolicy": {"enabled": True},
        "monitoring": {"serviceMonitor": True, "prometheusRule": True},
        "autoscaling": {"enabled": True, "keda": {"triggers": [{"type": "cron", "metadata": {"start": "0 8 * * *"}}]}},
    },
    "in mid-release": {"release": {"token": "41"}},
    "no roles": {"glidepath": {"rbac": False}},
    "no fence": {"glidepath": {"fence": False}},
    "no watchdog": {"glidepath": {"watchdog": {"enabled": False}}},
    "none of Glidepath's parts": {"glidepath": {"rbac": False, "fence": False, "watchdog": {"enabled": False}}},
    "Grafana's dashboards": {"glidepath": {"dashboards": {"enabled": True}}},
    "Prometheus' rules": {"glidepath": {"alerts": {"enabled": True}}},
    "a watchdog of one's own": {
        "glidepath": {
            "watchdog": {
                "image": "registry.example.com/watchdog:1",
                "pullPolicy": "Always",
                "resources": {"limits": {"memory": "256Mi"}},
            }
        }
    },
}


@cache
def binary() -> str:
    """Helm, of the cluster in use."""
    return cluster()["HELM"]


def helm(*arguments: str, values: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Helm, its result not judged; values are given as a file."""
    command = [binary(), *arguments, *(["-f", "-"] if values else [])]
    given = json.dumps(values) if values else None
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)


def rendered(*arguments: str, chart: Path = CHART, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The objects that `helm template` gives.

    Raises:
        AssertionError: It was refused; says why.
    """
    done = helm("template", "sms-app", str(chart), "-n", "sms-app", *arguments, values=values)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Those of a kind, by name."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def identity(one: dict[str, Any]) -> str:
    """What Helm knows an object by."""
    return f"{one['apiVersion']} {one['kind']} {one['metadata']['name']}"


def digests(chart: Path, case: str) -> dict[str, str]:
    """Each object of a case, by its identity: a digest of all of it, labels, annotations and spec."""
    return {
        identity(one): hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:16]
        for one in rendered(chart=chart, values=CASES[case])
    }


if __name__ == "__main__":
    RECORDED.write_text(json.dumps({case: digests(CHART, case) for case in CASES}, indent=1, sort_keys=True) + "\n")


def refuses(chart: str | Path, setting: str, words: str) -> None:
    """Assert that a chart does not render with this setting, and says why in these words."""
    done = helm("template", "one", str(chart), "--set", setting)
    assert done.returncode != 0
    assert words in done.stderr
