"""The first process of all hosts: `python -m rig.distributed.init HOME`, in PID, mount and network namespaces of its own.

When it ends, so do all processes, namespaces and interfaces, however it ended. HOME/plan.json says what to run.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from rig.distributed import links
from rig.supervisor import LOOK_S, Component, end, supervise

START_S = 60.0


def main() -> None:
    """Join the hosts, start the backing services, migrate Airflow's database, then keep everything running."""
    home = Path(sys.argv[1])
    plan = json.loads((home / "plan.json").read_text())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _wait("the link to the machine", links.uplinked)
    links.join(plan["network"], {one["host"]: one["address"] for one in plan["components"] if one["host"]})
    backing = [_component(one, home) for one in plan["backing"]]
    try:
        for one, service in zip(backing, plan["backing"], strict=True):
            one.look(time.monotonic())
            _wait(one.name, partial(_answers, service["address"], service["port"], one))
        for command in plan["first"]:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        supervise([_component(one, home) for one in plan["components"]], home, backing)
    finally:
        end(backing)


def _component(planned: dict[str, Any], home: Path) -> Component:
    inside = [*links.within(planned["host"])] if planned.get("host") else []
    return Component(planned["name"], [*inside, *planned["command"]], home, lambda: planned.get("environment", {}))


def _answers(address: str, port: int, component: Component) -> bool:
    if component.process is not None and component.process.poll() is not None:
        raise SystemExit(f"{component.name} ended; see {component.home / component.name}.log")
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _wait(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not there within {START_S:.0f} s")
        time.sleep(LOOK_S)


if __name__ == "__main__":
    assert os.getpid() == 1, "it has to be the first process of a PID namespace; rig.distributed.airflow starts it"
    main()
