"""The cluster and Prometheus as options and environment name them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import click

from glidepath.errors import SetupError

if TYPE_CHECKING:
    from kubernetes import client

    from glidepath.evidence import Prometheus

F = TypeVar("F", bound=Callable[..., Any])
OPTIONS = (
    click.option(
        "--kubeconfig", envvar="KUBECONFIG", help="Kubeconfig of the cluster.  [env: KUBECONFIG; default: ~/.kube/config]"
    ),
    click.option("--context", help="One of its contexts; default: the current one."),
    click.option(
        "--prometheus", envvar=["GLIDEPATH_PROMETHEUS_URL", "PROMETHEUS_URL"], required=True, metavar="URL",
        help="Prometheus that scrapes the service.  [env: GLIDEPATH_PROMETHEUS_URL, PROMETHEUS_URL]",
    ),
    click.option(
        "--header", "headers", multiple=True, metavar="'NAME: VALUE'", envvar="GLIDEPATH_PROMETHEUS_HEADER",
        help="A header for Prometheus, such as an Authorization.  [env: GLIDEPATH_PROMETHEUS_HEADER]",
    ),
    click.option("--ca", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PEM file that Prometheus is checked by."),
)  # fmt: skip


def outside(command: F) -> F:
    """Give a command the options that lead to the cluster and to Prometheus."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def cluster(kubeconfig: str | None, context: str | None) -> client.ApiClient:
    """A client of the cluster.

    Raises:
        SetupError: There is no kubeconfig, or it leads nowhere.
    """
    from kubernetes import client, config

    made = client.Configuration()
    try:
        config.load_kube_config(kubeconfig, context, client_configuration=made, persist_config=False)
    except (config.ConfigException, OSError, ValueError) as error:
        raise SetupError(
            f"kubeconfig {kubeconfig or config.KUBE_CONFIG_DEFAULT_LOCATION} leads to no cluster: {error}. Expected --kubeconfig, or "
            "KUBECONFIG, to name the file"
        ) from error
    return client.ApiClient(made)


def prometheus_at(url: str, headers: tuple[str, ...], ca: Path | None) -> Prometheus:
    """A client of Prometheus; what stands before an `@` in the address goes into a header, never into errors.

    Raises:
        SetupError: The address or a header is none.
    """
    from glidepath.evidence import Prometheus

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupError(
            f"--prometheus: {parts.hostname or 'the value'} is no address, expected http://HOST:PORT or https://HOST"
        )
    fields = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise SetupError("--header: expected 'NAME: VALUE', such as 'Authorization: Bearer ...'")
        fields[name.strip()] = value.strip()
    user, _, host = parts.netloc.rpartition("@")
    if user:
        fields["Authorization"] = f"Basic {base64.b64encode(unquote(user).encode()).decode()}"
    address = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return Prometheus(address, headers=fields or None, ca=str(ca) if ca else None)
