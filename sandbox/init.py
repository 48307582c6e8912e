"""PID 1 of the sandbox: starts the components, starts again what ends, reaps what is orphaned.

It holds the PID, mount and network namespaces: when it dies, by whatever signal, the kernel ends all that is in them.
Started as `python3 init.py STATE`, where STATE/components.json lists them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PRIVATE = ("/run/containerd", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
RESTART_AFTER_S = 0.5


def private_folders(state: Path) -> None:
    """Put our own folders over the fixed paths that containerd, CNI and the kubelet write to."""
    for folder in PRIVATE:
        Path(folder).mkdir(parents=True, exist_ok=True)
        own = state / "private" / folder.strip("/").replace("/", "-")
        own.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(own), folder], check=True)
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)


def start(component: dict[str, object], state: Path) -> subprocess.Popen[bytes]:
    """Start one component with its log file."""
    with (state / "logs" / f"{component['name']}.log").open("ab") as log:
        return subprocess.Popen(
            component["argv"],  # type: ignore[call-overload]
            cwd=state,
            env={**os.environ, **component.get("env", {})},  # type: ignore[dict-item]
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def main() -> None:
    """Run until told to stop."""
    state = Path(sys.argv[1])
    private_folders(state)
    go = state / "go"
    while not go.exists():  # the network is connected from outside, then this file is written
        time.sleep(0.02)
    components = json.loads((state / "components.json").read_text())
    running: dict[int, dict[str, object]] = {}
    due: list[tuple[float, dict[str, object]]] = [(0.0, component) for component in components]
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    while not stop:
        now = time.monotonic()
        for entry in [entry for entry in due if entry[0] <= now]:
            due.remove(entry)
            running[start(entry[1], state).pid] = entry[1]
        (state / "pids.json").write_text(json.dumps({str(c["name"]): pid for pid, c in running.items()}))
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            ended = running.pop(pid, None)
            if ended is not None:
                with (state / "logs" / "init.log").open("a") as log:
                    log.write(f"{time.time():.1f} {ended['name']} ended ({status}); started again\n")
                due.append((now + RESTART_AFTER_S, ended))
        time.sleep(0.2)


if __name__ == "__main__":
    main()
