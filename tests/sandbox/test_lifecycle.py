"""A second sandbox beside the one in use: brought up, broken, brought up again, ended; it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.common import REPO

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
STATE = Path("/var/lib/glidepath/lifecycle")


def sandbox(*arguments: str) -> subprocess.Popen[str]:
    """The command line for the second sandbox."""
    env = {**os.environ, "GLIDEPATH_STATE": str(STATE)}
    env.pop("GLIDEPATH_CLUSTER", None)
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=REPO,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def done(*arguments: str) -> str:
    """Run it to its end; its output."""
    process = sandbox(*arguments)
    out, _ = process.communicate(timeout=400)
    assert process.returncode == 0, out
    return out


def exported() -> dict[str, str]:
    """What `env` prints."""
    lines = (line.removeprefix("export ").split("=", 1) for line in done("env").splitlines())
    return dict(lines)  # type: ignore[arg-type]


def processes() -> set[str]:
    """Processes that belong to the second sandbox: they name its folder or run within its namespaces."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(STATE) in words and "pytest" not in words:
                found.add(f"{process.name} {words[:80]}")
    return found


def traces() -> dict[str, set[str]]:
    """What a sandbox puts on the host, as it is now."""
    mounts = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}
    links = {path.name for path in Path("/sys/class/net").iterdir() if path.name.startswith("glidepath")}
    groups = {str(path) for path in Path("/sys/fs/cgroup").glob("**/glidepath-*") if path.is_dir()}
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    own = {line for line in rules.splitlines() if "KUBE" in line or "198.18." in line}
    return {"mounts": mounts, "links": links, "cgroups": groups, "iptables": own, "processes": processes()}


def wait(what: str, until: Callable[[], bool], timeout_s: float) -> None:
    """Wait for a condition."""
    started = time.monotonic()
    while not until():
        assert time.monotonic() - started < timeout_s, what
        time.sleep(0.1)


def init_pid() -> int | None:
    """The second sandbox's init."""
    for line in done_or_not("status").splitlines():
        if line.startswith("init "):
            word = line.split()[-1]
            return int(word) if word.isdigit() else None
    return None


def done_or_not(*arguments: str) -> str:
    """Run it to its end, however that is; its output."""
    return sandbox(*arguments).communicate(timeout=120)[0]


@pytest.fixture
def before() -> Iterator[dict[str, set[str]]]:
    """The host's traces without the second sandbox."""
    done("down")
    yield traces()
    done("down")


def test_up_survives_kills_and_down_leaves_nothing(before: dict[str, set[str]]) -> None:
    # `up` is killed in the middle, and run again.
    process = sandbox("up")
    wait("the init", lambda: init_pid() is not None, 60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "cluster ready" in done("up")
    env = exported()
    nodes = [env["KUBECTL"], "--kubeconfig", env["KUBECONFIG"], "get", "nodes", "--request-timeout=5s"]
    assert " Ready " in subprocess.run(nodes, capture_output=True, text=True, check=True).stdout
    assert str(STATE) in env["KUBECONFIG"]

    # A component that is killed comes back.
    (etcd,) = {line.split()[0] for line in processes() if "etcd" in line.split("\0")[0]}
    os.kill(int(etcd), signal.SIGKILL)
    wait(
        "the API after etcd's death",
        lambda: subprocess.run(nodes, capture_output=True, check=False).returncode == 0,
        60,
    )

    # The init is killed: the kernel ends all that was in its namespaces, and `up` works after it.
    init = init_pid()
    assert init is not None
    os.kill(init, signal.SIGKILL)
    wait("the end of every process", lambda: not processes(), 30)
    assert "cluster ready" in done("up")

    done("down")
    after = traces()
    for kind, now in after.items():
        assert now <= before[kind], kind
    assert not STATE.exists()
