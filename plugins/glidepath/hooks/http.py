"""HTTP services by Airflow connections: the address and the headers; and the handover, which may be one.

Secrets go into headers only, never into the address, which errors and logs name.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from glidepath.errors import PreflightError

if TYPE_CHECKING:
    from glidepath.handover import Handover
    from glidepath.policy.gitops import GitOps

SCHEMES = ("http", "https")


def address_of(connection: Any) -> tuple[str, dict[str, str]]:
    """A connection's URL, without a slash at its end, and its headers.

    As a URI the scheme is the connection's type and `schema` is the path; from the form `schema` is the scheme, and people
    write `https://host/path` into the field for the host.
    """
    said, _, rest = str(connection.host).rpartition("://")
    host, _, below = rest.partition("/")
    scheme = next((one for one in (said, connection.schema, connection.conn_type) if one in SCHEMES), "http")
    below = connection.schema if connection.schema and connection.schema not in SCHEMES else below
    path = f"/{below}".rstrip("/")
    port = f":{connection.port}" if connection.port else ""
    headers = dict((connection.extra_dejson or {}).get("headers") or {})
    if connection.login:
        pair = f"{connection.login}:{connection.password or ''}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return f"{scheme}://{host}{port}{path}", headers


def handover_for(asked: GitOps | None) -> Handover | None:
    """Whom a policy names to tell of a promotion; None for nobody."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from glidepath.handover import Command, Webhook

    if asked is None or asked.handover == "none":
        return None
    if asked.handover == "command":
        return Command(asked.command, asked.tries, asked.timeout)
    name, path = str(asked.connection), asked.path

    def address() -> tuple[str, dict[str, str]]:
        try:
            connection = BaseHook.get_connection(name)
        except AirflowNotFoundException:
            connection = None
        if connection is None or not connection.host:
            raise PreflightError(
                f"connection {name!r} is none, or has no host; expected that of the webhook (gitops.connection). Set "
                f"AIRFLOW_CONN_{name.upper()}=https://bot.example.com or edit it under Admin > Connections"
            )
        url, headers = address_of(connection)
        return f"{url}{path}".rstrip("/") if path == "/" else f"{url}{path}", headers

    return Webhook(address, asked.tries, asked.timeout)
