"""A client's cluster and identity, for programs that must act on the very same cluster."""

from __future__ import annotations

from typing import Any

from kubernetes import client


def kubeconfig(api: client.ApiClient, namespace: str) -> dict[str, Any]:
    """A client's cluster and identity as a kubeconfig, for programs that must act on the very same cluster.

    It carries the client's token as it is now; certificates are referred to by path.
    """
    of = api.configuration
    cluster: dict[str, Any] = {"server": of.host}
    if not of.verify_ssl:
        cluster["insecure-skip-tls-verify"] = True
    elif of.ssl_ca_cert:
        cluster["certificate-authority"] = of.ssl_ca_cert
    if of.tls_server_name:
        cluster["tls-server-name"] = of.tls_server_name
    if of.proxy and of.proxy != client.Configuration().proxy:  # one out of the environment is everybody's
        cluster["proxy-url"] = of.proxy
    user: dict[str, str] = {}
    if bearer := of.get_api_key_with_prefix("BearerToken", alias="authorization"):
        user["token"] = bearer.split(" ", 1)[-1]
    if of.cert_file and of.key_file:
        user |= {"client-certificate": of.cert_file, "client-key": of.key_file}
    if of.username:
        user |= {"username": of.username, "password": of.password or ""}
    name = "glidepath"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
