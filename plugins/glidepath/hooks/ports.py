"""Builds a release's ports from Airflow connections.

Connections: a `kubernetes` one of any kind and a `generic` or `http` one for Prometheus. The heavy
imports happen inside the functions: this module is read whenever a DAG file is parsed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from glidepath.errors import SetupError
from glidepath.hooks.cluster import kubernetes_api
from glidepath.hooks.handover import handover_for, sync_for
from glidepath.hooks.http import address_of

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from glidepath.deploy import Helm
    from glidepath.evidence import Prometheus
    from glidepath.policy import Policy
    from glidepath.release.run import Ports, Run
    from glidepath.traffic import IstioTraffic

KUBERNETES_CONN_ID = "kubernetes_default"
PROMETHEUS_CONN_ID = "prometheus_default"
AUTH = "GLIDEPATH_PROMETHEUS_AUTH"


class PrometheusHook(BaseHook):
    """Prometheus by an Airflow connection: host, port, schema, login and password; or extra `headers`, `ca_file`.

    Secrets go into headers only, never into the address, which errors and logs name.
    """

    def __init__(self, conn_id: str = PROMETHEUS_CONN_ID) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self) -> Prometheus:
        """The client.

        Raises:
            SetupError: The connection names no host.
        """
        from glidepath.evidence import Prometheus

        connection = self.get_connection(self.conn_id)
        if not connection.host:
            raise SetupError(
                f"connection {self.conn_id!r} has no host, expected Prometheus' address. "
                f"Set AIRFLOW_CONN_{self.conn_id.upper()}=http://prometheus:9090 or edit it under Admin > Connections"
            )
        url, headers = address_of(connection)
        ca = (connection.extra_dejson or {}).get("ca_file")
        if ca and not Path(ca).is_file():
            raise SetupError(
                f"connection {self.conn_id!r} names the CA file {ca!r} in its extra, and there is none; expected the path of "
                "a PEM file on every machine that runs tasks or triggers"
            )
        return Prometheus(url, headers=headers or None, ca=ca, auth=_auth(), renew=self._headers)

    def _headers(self) -> dict[str, str]:
        return address_of(self.get_connection(self.conn_id))[1]


def _auth() -> AuthBase | None:
    """What signs requests to Prometheus, by the environment: who may edit a connection must not choose code.

    Raises:
        SetupError: There is no such thing.
    """
    named = os.environ.get(AUTH)
    if not named:
        return None
    module, _, name = named.partition(":")
    try:
        made: AuthBase = getattr(import_module(module), name)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise SetupError(
            f"{AUTH}={named!r} can't be used: {error}; expected `module:name` of a callable without arguments that makes a "
            "requests.auth.AuthBase"
        ) from error
    return made


class HelmHook(BaseHook):
    """Helm on the cluster of a `kubernetes` connection."""

    def __init__(
        self, chart: Path, release: str, namespace: str, conn_id: str = KUBERNETES_CONN_ID, digest: str | None = None
    ) -> None:
        super().__init__()
        self.chart, self.release, self.namespace, self.conn_id = chart, release, namespace, conn_id
        self.digest = digest

    def get_conn(self) -> Helm:
        """Helm for this release, on the cluster that the connection's client talks to."""
        from glidepath.deploy import Helm

        return Helm(self.chart, self.release, self.namespace, kubernetes_api(self.conn_id), digest=self.digest)


class IstioHook(BaseHook):
    """Istio's routing of one service on the cluster of a `kubernetes` connection."""

    def __init__(self, namespace: str, service: str, conn_id: str = KUBERNETES_CONN_ID) -> None:
        super().__init__()
        self.namespace, self.service, self.conn_id = namespace, service, conn_id

    def get_conn(self) -> IstioTraffic:
        """The traffic port."""
        from glidepath.traffic import IstioTraffic

        return IstioTraffic(kubernetes_api(self.conn_id), self.namespace, self.service)


def ports_for(policy: Policy) -> Ports:
    """The ports of a policy's service, by its connections. Costs the import of the Kubernetes client: call it in a task, not at parsing."""
    from glidepath.claim import LeaseClaims
    from glidepath.deploy import Workloads
    from glidepath.record import Record
    from glidepath.release.run import Ports
    from glidepath.traffic import IstioTraffic

    named = policy.connections
    api = kubernetes_api(named.kubernetes)
    chart = Path(policy.helm.chart)
    return Ports(
        record=Record(),
        claims=LeaseClaims(api, policy.namespace, policy.service),
        traffic=IstioTraffic(api, policy.namespace, policy.service),
        helm=HelmHook(chart, policy.helm.release, policy.namespace, named.kubernetes, policy.helm.digest).get_conn(),
        workloads=Workloads(api, policy.namespace, policy.service),
        prometheus=PrometheusHook(named.prometheus).get_conn(),
        handover=handover_for(policy.gitops),
        sync=sync_for(policy.gitops, api),
    )


def load_run(identity: str, say: Callable[[str], None]) -> Run:
    """A release as its tasks and triggers work with it.

    All of it is as `plan` froze it, its cluster included: who edits or breaks the policy's file in the middle of a
    release changes the next one.
    """
    from glidepath.policy import ReleaseSpec
    from glidepath.record import Record
    from glidepath.release.run import Run

    spec = ReleaseSpec.from_dict(Record().get(identity).spec)
    return Run(identity, spec, ports_for(spec), say)
