"""Keeps processes running, each started again when it ends, with all that it started.

What systemd, compose or Kubernetes do in production.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

AGAIN_AFTER_S = 2.0
LOOK_S = 0.2
END_S = 15.0


class Component:
    """A process that is kept running, in a process group of its own.

    Args:
        name: Its name; its log is NAME.log in `home`.
        command: What starts it.
        home: The supervisor's folder.
        environment: Laid over the environment, read at each start.
        wanted: Whether it is to run; asked before each start. Without it: unless HOME/held/NAME is there.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        home: Path,
        environment: Callable[[], Mapping[str, str]] = dict,
        wanted: Callable[[], bool] | None = None,
    ) -> None:
        self.name, self.command, self.home, self.environment = name, command, home, environment
        self.wanted = wanted or (lambda: not (home / "held" / name).exists())
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0

    def look(self, now: float) -> None:
        """Start it when it is due; when it has ended, end what it left, as a container would, and make it due."""
        if self.process is not None and self.process.poll() is not None:
            self.signal(signal.SIGKILL)
            self.process, self.due = None, now + AGAIN_AFTER_S
        if self.process is None and now >= self.due and self.wanted():
            self._start()

    def _start(self) -> None:
        with (self.home / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env={**os.environ, **self.environment()},
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

    def pid(self) -> int:
        """Its process, 0 while it is down."""
        return self.process.pid if self.process is not None else 0


def supervise(components: Sequence[Component], home: Path, under: Sequence[Component] = ()) -> None:
    """Run components until a SIGTERM or SIGINT, then end them in order. HOME/pids.json says which process is which.

    Args:
        components: What is run.
        home: The supervisor's folder.
        under: What the others stand on: run as they are, started before them and ended after them.
    """
    every = [*under, *components]
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(1))
    while not stop:
        for one in every:
            one.look(time.monotonic())
        (home / "pids.new").write_text(json.dumps({one.name: one.pid() for one in every}))
        (home / "pids.new").rename(home / "pids.json")
        time.sleep(LOOK_S)
    end(components)
    end(under)


def end(components: Sequence[Component]) -> None:
    """End components in order, then by force."""
    for one in components:
        one.signal(signal.SIGCONT)
        if one.process is not None:
            one.process.terminate()
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline and any(one.process and one.process.poll() is None for one in components):
        time.sleep(LOOK_S)
    for one in components:
        one.signal(signal.SIGKILL)
