"""Prometheus by an Airflow connection, of type `generic` or `http`."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from glidepath.errors import SetupError
from glidepath.hooks.http import address_of

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from glidepath.evidence import Prometheus

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
