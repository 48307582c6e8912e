"""Brings the sandbox up and down. Everything it starts hangs on one init; everything it writes is in one folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox import addons, build, cgroups, components, host, images, network
from sandbox.common import REPO, SandboxError, run, say, state, wait

NAMESPACES = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]


def about() -> dict[str, str]:
    """What the last `up` wrote down, or nothing."""
    file = state() / "sandbox.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def init_pid() -> int | None:
    """The init of this state folder, when it lives."""
    folder = str(state())
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            argv = (process / "cmdline").read_bytes().split(b"\0")
            inside = (process / "ns" / "pid").readlink() != Path("/proc/self/ns/pid").readlink()
        except OSError:
            continue
        if inside and argv[1:3] == [str(REPO / "sandbox/init.py").encode(), folder.encode()]:
            return int(process.name)
    return None


def inside(init: int) -> list[str]:
    """How a command gets into the sandbox; nsenter would go to / without --wd."""
    return ["nsenter", "-t", str(init), "-m", "-n", "-p", f"--wd={state()}"]


def up() -> None:
    """Build what is not built, start what is not started, and wait until all of it is ready."""
    host.require_root()
    host.packages()
    if healthy():
        say("the cluster is up and healthy")
        addons.load(images.applications())
        return
    if init_pid() is not None or state().exists():
        say("something of an earlier cluster is left: ending it first")
        down()
    binaries = built()
    archives = images.system()
    _start(binaries)
    _ready(archives)
    say("cluster ready")


def built() -> Path:
    """Build the binaries, and beside them the images that need none; the folder with the binaries."""
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(images.without_binaries)
        binaries = build.binaries()
        beside.result()
    return binaries


def _start(binaries: Path) -> None:
    folder = state()
    for name in ("logs", "podlogs", "containerd"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    slot = network.choose(network.addresses(), str(folder))
    cgroup = f"glidepath-{slot.number}"
    cgroups.make(cgroup)
    monitored = json.loads((REPO / "sandbox/manifests/prometheus.json").read_text())
    scrape = os.environ.get("GLIDEPATH_SCRAPE_INTERVAL", "5s")
    components.write(folder, binaries, slot, cgroup, scrape, monitored)
    details = {
        "slot": str(slot.number),
        "cgroup": cgroup,
        "KUBECONFIG": str(folder / "admin.kubeconfig"),
        "PROMETHEUS_URL": f"http://{slot.inside}:{components.PROMETHEUS_PORT}",
        "NODE_ADDRESS": slot.inside,
        "HELM": str(binaries / "helm"),
        "KUBECTL": str(binaries / "kubectl"),
    }
    (folder / "sandbox.json").write_text(json.dumps(details))
    with (folder / "logs" / "init.log").open("ab") as log:
        subprocess.Popen(
            ["unshare", *NAMESPACES, sys.executable, str(REPO / "sandbox/init.py"), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    wait("the sandbox's init", lambda: init_pid() is not None, 10)
    init = init_pid()
    assert init is not None
    network.connect(slot, init, inside(init))
    (folder / "go").touch()
    say(f"init {init}: components start; node {slot.inside}, host end {slot.interface}")


def _ready(archives: list[Path]) -> None:
    details = about()
    kubectl = addons.Kubectl(details)
    with ThreadPoolExecutor(2) as pool:
        # Images go in while the control plane starts.
        imported = pool.submit(lambda: [addons.import_image(archive) for archive in archives])
        wait("the API server", kubectl.answers, 90)
        addons.base(kubectl, details)
        helm = pool.submit(addons.istio, details, build.istio())
        applications = pool.submit(images.applications)
        imported.result()
        wait("the node", lambda: kubectl.node_ready(components.NODE), 90)
        say("node ready")
        helm.result()
        addons.load(applications.result())
    addons.wait_ready(kubectl, details)
    details["GATEWAY_URL"] = f"http://{details['NODE_ADDRESS']}:{kubectl.gateway_port()}"
    (state() / "sandbox.json").write_text(json.dumps(details))


def healthy() -> bool:
    """True when the init lives and the API server, the node and Istio answer."""
    details = about()
    if init_pid() is None or "GATEWAY_URL" not in details:
        return False
    kubectl = addons.Kubectl(details)
    return kubectl.answers() and kubectl.node_ready(components.NODE) and addons.prometheus_answers(details)


def down() -> None:
    """End everything and take away what is left: processes, mounts, the interface, cgroups, the state folder."""
    details = about()
    init = init_pid()
    if init is not None:
        os.kill(init, signal.SIGKILL)
        wait("the init's end", lambda: init_pid() is None, 20)
    if "slot" in details:
        network.disconnect(network.Slot(int(details["slot"])))
    if "cgroup" in details:
        wait("the cgroups' end", lambda: cgroups.remove(details["cgroup"]), 20)
    if state().exists():
        _remove(state())
    say("the sandbox is down; nothing of it is left but the cache")


def _remove(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{folder}/")), reverse=True):
        run(["umount", "-l", mount])
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise SandboxError(f"{folder} could not be removed; who uses it? try: fuser -vm {folder}")
