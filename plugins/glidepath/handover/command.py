"""A handover by a program: the word on its standard input and in its environment; its exit code decides."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from glidepath.errors import HandoverError, PreflightError
from glidepath.handover.port import Handover, Word
from glidepath.handover.secrets import hidden
from glidepath.processes import ends_with_us

ERROR_LENGTH, ANSWER_LENGTH = 2000, 200
# Read at once, bytes; and how long what a program that has ended wrote last may take, seconds.
PART, LAST_S = 65536, 1.0
# Of the word, what a command is told as GLIDEPATH_<NAME>.
TOLD = ("phase", "release", "service", "namespace", "helm_release", "stable", "canary", "version", "key")
# Airflow's own settings hold passwords, and its record's address does.
OURS = ("AIRFLOW", "_AIRFLOW", "GLIDEPATH")


class Command(Handover):
    """Runs a program: no shell, a time-out, and it ends with us.

    Args:
        command: The program and its arguments.
        tries: How often at most.
        timeout_s: Of one try, seconds; then it and what it started are killed.
        pause_s: As for every handover.
    """

    def __init__(self, command: Sequence[str], tries: int, timeout_s: float, pause_s: float = 2.0) -> None:
        super().__init__(tries, timeout_s, pause_s)
        self._command = tuple(command)

    def check(self) -> str:
        """See `Handover.check`."""
        if missing := self._missing():
            raise PreflightError(f"gitops.command: {missing}; nothing was touched. Put it on every worker, executable")
        return f"the command {self._shown}"

    def once(self, word: Word) -> str:
        """See `Handover.once`."""
        if missing := self._missing():  # of what `ends_with_us` can't start it says no more than an exit code
            raise HandoverError(missing, may_pass=False, untold=True)
        process = self._started(word)
        out, err = (_Tail(pipe) for pipe in (process.stdout, process.stderr))
        try:
            _give(process, json.dumps(word.to_dict()).encode())
            code = process.wait(self._timeout_s)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise HandoverError(
                f"{self._shown} did not end within {self._timeout_s:g} s and was killed: {err.told(ERROR_LENGTH)}"
            ) from error
        finally:
            _end(process)
        if code != 0:
            raise HandoverError(f"{self._shown} ended with exit code {code}: {err.told(ERROR_LENGTH)}")
        return out.told(ANSWER_LENGTH)

    def _missing(self) -> str:
        """That it can't be run; empty when it can."""
        name = self._command[0]
        return "" if shutil.which(name) else f"{name!r} is no program that can be run here"

    @property
    def _shown(self) -> str:
        return Path(self._command[0]).name

    def _started(self, word: Word) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                [*ends_with_us(), *self._command], stdin=pipe, stdout=pipe, stderr=pipe,
                env=environment(word), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise HandoverError(f"{self._shown} could not be started: {error}", may_pass=False, untold=True) from error


class _Tail:
    """The end of what a program writes: it is read as it comes, however much it is, and the rest let go.

    Args:
        pipe: What it writes to.
    """

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._pipe, self._read = pipe, b""
        self._thread = threading.Thread(target=self._serve, name="glidepath-handover", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with self._pipe:
            while part := os.read(self._pipe.fileno(), PART):
                self._read = (self._read + part)[-2 * ERROR_LENGTH :]  # a secret at the cut is hidden whole

    def told(self, length: int) -> str:
        """So much of it at most, without secrets. Call when the program has ended."""
        self._thread.join(LAST_S)  # what it has left behind in a session of its own may keep the pipe open
        return hidden(self._read.decode(errors="replace").strip())[-length:]


def _give(process: subprocess.Popen[bytes], body: bytes) -> None:
    """Write to its input; a program need not read it. A word is shorter than what a pipe holds."""
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as stdin:
        stdin.write(body)


def environment(word: Word) -> dict[str, str]:
    """Ours without what is Airflow's and Glidepath's own, and the word."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    variables = {f"GLIDEPATH_{name.upper()}": str(getattr(word, name)) for name in TOLD}
    return {**kept, **variables, "GLIDEPATH_VALUES": json.dumps(word.values)}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, and what it started and left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
