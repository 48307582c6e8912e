"""Loads what every task of a release needs, none of it Airflow's.

A task is a fork of the process that runs it. What is loaded before the fork is there at once; loaded in the task, the
Kubernetes clients alone take it seconds.
"""

from importlib import import_module
from pkgutil import iter_modules

from glidepath.release import tasks

MODULES = (
    "kubernetes.client", "kubernetes_asyncio.client", "kubernetes_asyncio.config", "prometheus_api_client",
    "glidepath.deploy", "glidepath.record",
    *(f"{tasks.__name__}.{module.name}" for module in iter_modules(tasks.__path__)),
)  # fmt: skip
for _name in MODULES:
    import_module(_name)
