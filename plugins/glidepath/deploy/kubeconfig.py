"""A client's cluster and identity, for programs that must act on the very same cluster."""

from __future__ import annotations

from typing import Any

from kubernetes import client


def kubeconfig(api: client.ApiClient, namespace: str) -> dict[str, Any]:
    """A client's cluster and identity as a kubeconfig, for programs that must act on the very same cluster.

    It carries the client's token as it is now; certificates are referred to by path.
    """
    configured = api.configuration
    cluster: dict[str, Any] = {"server": configured.host}
    if not configured.verify_ssl:
        cluster["insecure-skip-tls-verify"] = True
    elif configured.ssl_ca_cert:
        cluster["certificate-authority"] = configured.ssl_ca_cert
    if configured.tls_server_name:
        cluster["tls-server-name"] = configured.tls_server_name
    # One out of the environment is everybody's.
    if configured.proxy and configured.proxy != client.Configuration().proxy:
        cluster["proxy-url"] = configured.proxy
    user: dict[str, str] = {}
    if bearer := configured.get_api_key_with_prefix("BearerToken", alias="authorization"):
        user["token"] = bearer.split(" ", 1)[-1]
    if configured.cert_file and configured.key_file:
        user |= {"client-certificate": configured.cert_file, "client-key": configured.key_file}
    if configured.username:
        user |= {"username": configured.username, "password": configured.password or ""}
    name = "glidepath"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
