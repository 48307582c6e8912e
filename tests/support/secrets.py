"""Secrets that the end-to-end tests' Airflow works with, and where they may be: nowhere that it writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from rig.environment import cluster, glidepath_kubeconfig

# The sandbox's Prometheus asks for no login; that it is sent one changes nothing.
LOGIN = "reader:planted-0b7e5c"
# Where Airflow itself keeps what it was given.
ITS_OWN = ("airflow.cfg", "passwords.json")


def connections() -> Mapping[str, str]:
    """The connection to Prometheus, with a login."""
    scheme, _, address = cluster()["PROMETHEUS_URL"].partition("://")
    return {"AIRFLOW_CONN_PROMETHEUS_DEFAULT": f"{scheme}://{LOGIN}@{address}"}


def secrets() -> dict[str, bytes]:
    """What must be written nowhere, by what it is."""
    config = json.loads(glidepath_kubeconfig().read_text())
    # Every token of this cluster's service accounts begins with the same header.
    header = config["users"][0]["user"]["token"].split(".")[0]
    return {
        "Prometheus' password": LOGIN.split(":")[1].encode(),
        "Prometheus' Authorization": base64.b64encode(LOGIN.encode()),
        "a service account's token": f"{header}.".encode(),
    }


def found_in(folder: Path, what: Mapping[str, bytes]) -> Iterator[str]:
    """Every file below a folder that has one of these: task logs, the metadata (XComs, rendered fields), the record."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name not in ITS_OWN:
            content = file.read_bytes()
            yield from (f"{name} is in {file.relative_to(folder)}" for name, one in what.items() if one in content)
