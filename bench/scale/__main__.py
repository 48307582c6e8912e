"""`python -m bench.scale`: what a guard costs, as ratios to an earlier build, in one run on one machine.

A real API server and a real Prometheus serve N services whose objects and samples are generated; N guards watch them in
one process as a triggerer runs them. Both builds, one after the other, before the same servers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.evidence.__main__ import checked_out, prometheus
from bench.scale.exporter import SCRAPE_S
from bench.scale.servers import TOKENS, Cluster, ask, cluster
from bench.scale.standins import standins
from rig.environment import free_port

# The last build before guards shared a reader of the cluster.
EARLIER = "d55d4de"
REPO = Path(__file__).parents[2]
KNOWN_S = 20
UNITS = {
    "cpu": ("CPU a guard", 1e3, "ms a second"),
    "cpu_a_look": ("CPU a look", 1e3, "ms"),
    "memory": ("memory a guard beyond the first", 1e-6, "MB"),
    "kubernetes": ("Kubernetes requests a guard and minute", 1, ""),
    "prometheus": ("Prometheus queries a guard and minute", 1, ""),
    "looks": ("looks a guard and minute", 1, ""),
    "lag": ("scrape to recorded look, p99", 1, "s"),
    "blind": ("looks without data", 1, ""),
    "ended": ("guards that ended", 1, ""),
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--services", type=int, nargs="+", default=[10, 50])
    asked.add_argument("--seconds", type=float, default=60.0, help="that are measured")
    asked.add_argument("--earlier", default=EARLIER, help="commit to compare with; empty: none")
    asked.add_argument("--most-earlier", type=int, default=100, help="services at most that the earlier build watches")
    asked.add_argument("--stand-ins", action="store_true", help="servers in memory take the place of the real ones")
    asked.add_argument("--json", type=Path, help="where the figures go")
    asked.add_argument("--logs", type=Path, help="a folder for what the guards say")
    given = asked.parse_args()
    told: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, _earlier(given.earlier, Path(folder)) as earlier:
        for count in given.services:
            builds = {given.earlier: earlier} if earlier is not None and count <= given.most_earlier else {}
            home = Path(folder) / str(count)
            home.mkdir()
            with (standins if given.stand_ins else servers)(home, count) as served:
                found = measured(home, *served, count, given.seconds, {**builds, "this build": REPO}, given.logs)
            tell(count, found)
            told.append({"services": count, **found})
            if given.json:
                given.json.write_text(json.dumps(told, indent=1) + "\n")


@contextmanager
def _earlier(commit: str, folder: Path) -> Iterator[Path | None]:
    """A work tree of an earlier build, with this build's bench; None for no commit."""
    if not commit:
        yield None
        return
    with checked_out(commit, folder) as tree:
        shutil.rmtree(tree / "bench")
        yield tree


def measured(
    folder: Path, served: Cluster, url: str, count: int, seconds: float, builds: dict[str, Path], logs: Path | None
) -> dict[str, dict[str, Any]]:
    """What each build measures of itself with so many services, before a cluster and a Prometheus at an URL."""
    found = {}
    for name, tree in builds.items():
        home = folder / name.replace(" ", "-")
        home.mkdir()
        found[name] = _figures(tree, home, served, url, count, seconds, (logs or home) / f"{count}-{home.name}.log")
    return found


@contextmanager
def servers(folder: Path, count: int) -> Iterator[tuple[Cluster, str]]:
    """A real API server and a real Prometheus, of so many services."""
    with cluster(folder / "cluster") as served, _exported(count) as port, prometheus(folder, _scrapes(port)) as url:
        ask(served.url, "POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        time.sleep(KNOWN_S)
        yield served, url


@contextmanager
def _exported(count: int) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.scale.exporter", str(port), str(count)], cwd=REPO)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def _scrapes(port: int) -> str:
    job = {"job_name": "services", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
    return json.dumps({"global": {"scrape_interval": f"{SCRAPE_S}s"}, "scrape_configs": [job]})


def environment(tree: Path, home: Path, served: Cluster, url: str) -> dict[str, str]:
    """That of a build's guards, by which they find a cluster and a Prometheus at an URL."""
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text(json.dumps(_kubeconfig(served.url)))
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(kubeconfig)}}
    return os.environ | {
        "PYTHONPATH": f"{tree / 'plugins'}:{tree}:{REPO}",
        "PYTHONWARNINGS": "ignore",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
        "AIRFLOW_CONN_PROMETHEUS_DEFAULT": url,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "GLIDEPATH_RECORD_URL": f"sqlite:///{home}/record.db",
    }


def _figures(
    tree: Path, home: Path, served: Cluster, url: str, count: int, seconds: float, log: Path
) -> dict[str, Any]:
    given = {
        "folder": str(home), "audit": str(served.audit), "prometheus": url, "count": count, "seconds": seconds, "log": str(log),
    }  # fmt: skip
    command = [sys.executable, "-m", "bench.scale.measure", json.dumps(given)]
    answer = subprocess.run(
        command, env=environment(tree, home, served, url), cwd=home, check=True, stdout=subprocess.PIPE, text=True
    )
    # Airflow writes its own lines there, too.
    found: dict[str, Any] = json.loads(next(line for line in answer.stdout.splitlines() if line.startswith('{"cpu"')))
    return found


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "clusters": [{"name": "bench", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "bench", "user": {"token": TOKENS["guards"]}}],
    }


def tell(count: int, found: dict[str, dict[str, Any]]) -> None:
    """A line for each of what was measured: each build's figure, and what part of the earlier one's it is."""
    print(f"{count} services: {', '.join(found)}")
    for what, (words, scale, unit) in UNITS.items():
        figures = [build[what] for build in found.values()]
        texts = [f"{figure * scale:.3g}" if figure is not None else "none" for figure in figures]
        ratio = f"  {figures[-1] / figures[0]:.3f} of it" if len(figures) == 2 and figures[0] and figures[1] else ""
        print(f"  {words}: {', '.join(texts)} {unit}{ratio}", flush=True)


if __name__ == "__main__":
    main()
