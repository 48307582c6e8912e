"""A Kubernetes client of an Airflow connection, with a configuration that is its own.

The client library has one default configuration a process. What loads into it and then makes a client of it can be
overtaken by another thread that loads another cluster. So nothing is read from there or written there.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from glidepath.errors import SetupError

# The clients that triggers of this process share: by connection and use, what they were made of, when, and the client.
_shared: dict[tuple[str, str], tuple[str, float, Any]] = {}
_sharing = threading.Lock()

# The library writes certificates that a kubeconfig carries into files that its clients share by content; it names such
# a file to others before it has written it.
_CERTIFICATES = threading.Lock()
CARRIED = {"cluster": ("certificate-authority",), "user": ("client-certificate", "client-key")}


def shared_api(conn_id: str, use: str = "", since: float = -math.inf) -> Any:
    """The client of a connection that all triggers of this process share; another once the connection says otherwise.

    Args:
        conn_id: The connection.
        use: What for: each use has a client of its own.
        since: One that was made before this is refused by the cluster: it is made anew. Seconds of `time.monotonic`.

    Raises:
        SetupError: As `kubernetes_api`.
    """
    from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

    made_of = _made_of(KubernetesHook(conn_id=conn_id).conn_extras)
    with _sharing:
        known = _shared.get((conn_id, use))
    if known is not None and known[0] == made_of and known[1] >= since:
        return known[2]
    began = time.monotonic()
    api = kubernetes_api(conn_id)
    with _sharing:
        now = _shared.get((conn_id, use))
        if now is not None and now != known and now[0] == made_of and now[1] >= since:
            return now[2]  # another was first
        _shared[conn_id, use] = (made_of, began, api)
    return api


def _made_of(extras: Mapping[str, Any]) -> str:
    """Changes with the connection, and with the file that it names."""
    path, at = _field(extras, "kube_config_path"), (0, 0)
    with suppress(OSError, TypeError):
        stat = os.stat(path)
        at = stat.st_mtime_ns, stat.st_size
    text = json.dumps([dict(extras), at], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()  # the text has secrets


def kubernetes_api(conn_id: str) -> Any:
    """The client of a connection: by its kubeconfig (path or text), in the cluster, or, if it names none, what is there.

    Each call makes a client of its own, that never shares a host or a credential with another.

    Raises:
        SetupError: The connection names two ways, or one that can't be followed.
    """
    from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
    from airflow.providers.cncf.kubernetes.kube_client import configure_tcp_keepalive
    from kubernetes import client
    from kubernetes.config import ConfigException

    extras = KubernetesHook(conn_id=conn_id).conn_extras
    configuration = client.Configuration()
    try:
        _load(configuration, extras)
    except (ConfigException, OSError, ValueError) as error:
        raise SetupError(
            f"connection {conn_id!r} leads to no cluster: {error}. Expected one of kube_config_path, kube_config or "
            "in_cluster in its extra fields, and what they name to be there"
        ) from error
    if _flag(extras, "disable_verify_ssl"):
        configuration.verify_ssl = False
    if not _flag(extras, "disable_tcp_keepalive"):
        configure_tcp_keepalive(configuration)
    return client.ApiClient(configuration)


def _load(configuration: Any, extras: Mapping[str, Any]) -> None:
    from kubernetes import config

    path, text, context = (_field(extras, name) for name in ("kube_config_path", "kube_config", "cluster_context"))
    inside = _flag(extras, "in_cluster")
    ways = {"in_cluster": inside, "kube_config_path": path, "kube_config": text}
    if sum(map(bool, ways.values())) > 1:
        raise ValueError(f"it has {' and '.join(name for name, value in ways.items() if value)}")
    if text:
        _load_text(configuration, text, context)
    elif path:
        _load_file(configuration, path, context)
    elif inside:
        config.load_incluster_config(client_configuration=configuration)
    else:
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            _load_file(configuration, config.KUBE_CONFIG_DEFAULT_LOCATION, context)


def _load_file(configuration: Any, path: str, context: str | None) -> None:
    import yaml
    from kubernetes import config
    from kubernetes.config.kube_config import KubeConfigMerger

    try:
        merged = KubeConfigMerger(path).config
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is neither JSON nor YAML") from error  # the text has secrets
    if merged is not None:
        _write_certificates(merged.value)
    config.load_kube_config(config_file=path, context=context, client_configuration=configuration, persist_config=False)


def _load_text(configuration: Any, text: str | Mapping[str, Any], context: str | None) -> None:
    import yaml
    from kubernetes import config

    try:
        content = yaml.safe_load(text) if isinstance(text, str) else dict(text)
    except yaml.YAMLError as error:
        raise ValueError("its kube_config is neither JSON nor YAML") from error  # the text has secrets
    if not isinstance(content, dict):
        raise ValueError(f"its kube_config is a {type(content).__name__}, expected an object")
    _write_certificates(content)
    config.load_kube_config_from_dict(
        config_dict=content, context=context, client_configuration=configuration, persist_config=False
    )


def _write_certificates(content: Mapping[str, Any]) -> None:
    """Have the files of all certificates written, before any client is told of one.

    Only that is done under the lock. Loading may run a program of the kubeconfig, which may hang, for its own client only.
    """
    from kubernetes.config.kube_config import FileOrData

    with _CERTIFICATES:
        for part, names in CARRIED.items():
            for entry in content.get(f"{part}s") or ():
                carried = getattr(entry, "value", entry).get(part) or {}
                for name in names:
                    if carried.get(f"{name}-data"):
                        FileOrData(carried, name).as_file()


def _field(extras: Mapping[str, Any], name: str) -> Any:
    """A field of the connection, by its name or by the one that connections of long ago have."""
    return extras.get(name, extras.get(f"extra__kubernetes__{name}")) or None


def _flag(extras: Mapping[str, Any], name: str) -> bool:
    value = _field(extras, name)
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)
