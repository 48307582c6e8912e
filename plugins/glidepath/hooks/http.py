"""HTTP services by Airflow connections: the address and the headers.

Secrets go into headers only, never into the address, which errors and logs name.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

SCHEMES = ("http", "https")


def address_of(connection: Any) -> tuple[str, dict[str, str]]:
    """A connection's URL, without a slash at its end, and its headers.

    As a URI the scheme is the connection's type and `schema` is the path; from the form `schema` is the scheme, and people
    write `https://host/path` into the field for the host, with `user:password@` in it, too.
    """
    prefix, _, rest = str(connection.host).rpartition("://")
    place, _, below = rest.partition("/")
    user, _, host = place.rpartition("@")
    scheme = next(
        (candidate for candidate in (prefix, connection.schema, connection.conn_type) if candidate in SCHEMES), "http"
    )
    below = connection.schema if connection.schema and connection.schema not in SCHEMES else below
    path = f"/{below}".rstrip("/")
    port = f":{connection.port}" if connection.port else ""
    headers = dict((connection.extra_dejson or {}).get("headers") or {})
    pair = f"{connection.login}:{connection.password or ''}" if connection.login else unquote(user)
    if pair:
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return f"{scheme}://{host}{port}{path}", headers
