"""python -m glidepath.watchdog: watch the claims of some namespaces until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kubernetes import client, config

from glidepath.errors import ClusterError
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from glidepath.watchdog.server import serve

PORT = 8080
PERIOD_S = 1.0
OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

log = logging.getLogger("glidepath.watchdog")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("glidepath.watchdog", description="Puts abandoned releases back on stable.")
    parser.add_argument("--namespace", action="append", metavar="NS", help="may be repeated; default: the pod's own")
    parser.add_argument("--port", type=int, default=PORT, help=f"of /healthz and /metrics; default {PORT}")
    return parser.parse_args(argv)


def connect() -> client.ApiClient:
    """The API client: by KUBECONFIG where it is set, else as the pod's service account.

    Raises:
        ConfigException: Neither is there.
    """
    settings = client.Configuration()
    if os.environ.get("KUBECONFIG"):
        config.load_kube_config(client_configuration=settings)
    else:
        config.load_incluster_config(client_configuration=settings)
    return client.ApiClient(settings)


class Passing(Protocol):
    """What the loop knows of a watchdog: where it looks, and a pass."""

    namespace: str

    def look(self) -> None:
        """A pass over the claims of its namespace.

        Raises:
            ClusterError: The API did not answer.
        """


def watch(watchdogs: Sequence[Passing], facts: Health, stop: threading.Event) -> None:
    """Pass after pass until told to stop. Nothing that fails in one ends the loop."""
    while not stop.is_set():
        passed = True
        for watchdog in watchdogs:
            try:
                watchdog.look()
            except ClusterError as error:
                passed = False
                log.error("%s: %s", watchdog.namespace, error)
            except Exception:
                passed = False
                log.exception("%s: a pass failed in a way that was not foreseen", watchdog.namespace)
        if passed:
            facts.passed = time.monotonic()
        stop.wait(PERIOD_S)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the exit code is 2 when it does not know where to look, 1 for a taken port."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    options = arguments(argv)
    try:
        namespaces = options.namespace or [OWN_NAMESPACE.read_text(encoding="utf-8").strip()]
        api = connect()
    except (OSError, config.ConfigException) as error:
        log.error("%s; expected to run in a pod, or --namespace and KUBECONFIG", error)
        return 2
    stop, facts = threading.Event(), Health()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = serve(facts, options.port)
    except OSError as error:
        log.error("port %d: %s", options.port, error)
        return 1
    log.info("watching %s; /healthz and /metrics on port %d", ", ".join(namespaces), server.server_port)
    watch([Watchdog(api, namespace, facts) for namespace in namespaces], facts, stop)
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
