"""The environment that Airflow and the service run in: the cluster's, its tools, and Airflow's settings on top of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
STATE = Path(os.environ.get("GLIDEPATH_DEMO_STATE", REPO / ".state"))
NAMESPACE = "sms-app"
USERS = {"admin": "admin", "ops": "op", "eyes": "viewer"}


class RigError(Exception):
    """Says what went wrong and what to do."""


def cluster() -> dict[str, str]:
    """KUBECONFIG, PROMETHEUS_URL and the tools of the cluster in use.

    Raises:
        RigError: None is up.
    """
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "env"], cwd=REPO, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RigError(done.stderr.strip())
    pairs = [line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines()]
    found = dict(pairs)
    return {"HELM": "helm", "KUBECTL": "kubectl", **found}


def kubectl(*arguments: str, given: str | None = None, timeout_s: float = 60, check: bool = True) -> str:
    """kubectl as the cluster's administrator.

    Raises:
        RigError: It failed.
    """
    env = cluster()
    command = [env["KUBECTL"], "--kubeconfig", env["KUBECONFIG"], *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout_s, check=False)
    if check and done.returncode != 0:
        raise RigError(f"kubectl {' '.join(arguments[:4])}: {done.stderr.strip()}")
    return done.stdout


def helm(*arguments: str, timeout_s: float = 180) -> str:
    """Helm as the cluster's administrator.

    Raises:
        RigError: It failed.
    """
    env = cluster()
    command = [env["HELM"], "--kubeconfig", env["KUBECONFIG"], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise RigError(f"helm {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout


def kubeconfig_file(namespace: str = NAMESPACE) -> Path:
    """Where `glidepath_kubeconfig` writes."""
    return STATE / f"glidepath-{namespace}.kubeconfig"


def glidepath_kubeconfig(namespace: str = NAMESPACE) -> Path:
    """A kubeconfig of the service account that the chart makes for Glidepath: least privilege, as in production."""
    token = kubectl("create", "token", "glidepath", "-n", namespace, "--duration=24h").strip()
    admin = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": admin["clusters"],
        "users": [{"name": "glidepath", "user": {"token": token}}],
        "contexts": [
            {
                "name": "glidepath",
                "context": {"cluster": admin["clusters"][0]["name"], "user": "glidepath", "namespace": namespace},
            }
        ],
        "current-context": "glidepath",
    }
    STATE.mkdir(parents=True, exist_ok=True)
    path = kubeconfig_file(namespace)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path


def free_port(wanted: int = 0) -> int:
    """The first free TCP port on loopback at or above `wanted`; any that is free for 0."""
    for port in range(wanted, wanted + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RigError(f"no free port on 127.0.0.1 from {wanted} to {wanted + 199}; set GLIDEPATH_AIRFLOW_PORT")


def airflow_environment(home: Path, port: int, policies: Path) -> dict[str, str]:
    """Airflow's whole configuration, as environment variables."""
    env = cluster()
    core = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        # A clock that steps back by ten minutes must not make tasks' own tokens invalid.
        "AIRFLOW__API_AUTH__JWT_LEEWAY": "660",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port(port + 713)),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port(port + 914)),
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(
            {"conn_type": "kubernetes", "extra": {"kube_config_path": str(kubeconfig_file())}}
        ),
        "AIRFLOW_CONN_PROMETHEUS_DEFAULT": env["PROMETHEUS_URL"],
        "GLIDEPATH_HELM": env["HELM"],
        "GLIDEPATH_POLICIES": str(policies),
        "GLIDEPATH_FLEETS": str(policies.parent / "fleets"),
        "GLIDEPATH_RECORD_URL": f"sqlite:///{home}/glidepath.db",
    }
    return {**os.environ, **core, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
