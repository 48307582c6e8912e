"""Airflow as a supervisor runs it: each component is started again when it ends, with all that it started.

`python -m tests.faults.supervisor HOME`. What systemd, compose or Kubernetes do in production. While HOME/held/NAME is
there the component stays down. HOME/environment.json is laid over the environment at each start of a component. There is
a second triggerer, which is only up when HOME/wanted/triggerer-2 is there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

COMPONENTS = ("scheduler", "dag-processor", "api-server", "triggerer")
SECOND = "triggerer-2"
LOG_PORT = "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"
AGAIN_AFTER_S = 2.0


class Component:
    """One component of Airflow, in a process group of its own."""

    def __init__(self, name: str, home: Path) -> None:
        self.name, self.home = name, home
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0

    def look(self, now: float) -> None:
        """Start it when it is due; when it has ended, end what it left, as a container would, and make it due."""
        if self.process is not None and self.process.poll() is not None:
            self.signal(signal.SIGKILL)
            self.process, self.due = None, now + AGAIN_AFTER_S
        if self.process is None and now >= self.due and self._wanted():
            self._start()

    def _wanted(self) -> bool:
        if self.name == SECOND:
            return (self.home / "wanted" / self.name).exists()
        return not (self.home / "held" / self.name).exists()

    def _start(self) -> None:
        given = self.home / "environment.json"
        extra = json.loads(given.read_text()) if given.exists() else {}
        if self.name == SECOND:
            extra[LOG_PORT] = str(int(os.environ[LOG_PORT]) + 1)
        with (self.home / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["airflow", self.name.removesuffix("-2")],
                env={**os.environ, **extra},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def signal(self, number: signal.Signals) -> None:
        """Signal the component and all that it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def pid_file(self) -> tuple[str, int]:
        """Its name and its process, 0 while it is down."""
        return self.name, self.process.pid if self.process is not None else 0


def main() -> None:
    """Run until told to stop, then end everything in order."""
    home = Path(sys.argv[1])
    (home / "held").mkdir(exist_ok=True)
    subprocess.run(["airflow", "db", "migrate"], check=True, stdin=subprocess.DEVNULL)
    components = [Component(name, home) for name in (*COMPONENTS, SECOND)]
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(1))
    while not stop:
        for one in components:
            one.look(time.monotonic())
        (home / "pids.new").write_text(json.dumps(dict(one.pid_file() for one in components)))
        (home / "pids.new").rename(home / "pids.json")
        time.sleep(0.2)
    for one in components:
        one.signal(signal.SIGCONT)
        if one.process is not None:
            one.process.terminate()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and any(one.process and one.process.poll() is None for one in components):
        time.sleep(0.2)
    for one in components:
        one.signal(signal.SIGKILL)


if __name__ == "__main__":
    main()
