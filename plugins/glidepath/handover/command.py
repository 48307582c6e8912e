"""A handover by a program: the word on its standard input and in its environment; its exit code decides."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from glidepath.errors import HandoverError, PreflightError
from glidepath.handover.port import Handover, Word
from glidepath.processes import ends_with_us

ERROR_LENGTH, ANSWER_LENGTH = 2000, 200
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
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = self._ended(word, out, err)
            if code != 0:
                raise HandoverError(f"{self._shown} ended with exit code {code}: {_tail(err, ERROR_LENGTH)}")
            return _tail(out, ANSWER_LENGTH)

    def _missing(self) -> str:
        """That it can't be run; empty when it can."""
        name = self._command[0]
        return "" if shutil.which(name) else f"{name!r} is no program that can be run here"

    @property
    def _shown(self) -> str:
        return Path(self._command[0]).name

    def _ended(self, word: Word, out: IO[bytes], err: IO[bytes]) -> int:
        """Its exit code."""
        try:
            process = subprocess.Popen(
                [*ends_with_us(), *self._command], stdin=subprocess.PIPE, stdout=out, stderr=err,
                env=environment(word), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise HandoverError(f"{self._shown} could not be started: {error}", may_pass=False, untold=True) from error
        try:
            process.communicate(json.dumps(word.to_dict()).encode(), timeout=self._timeout_s)
        except subprocess.TimeoutExpired as error:
            raise HandoverError(
                f"{self._shown} did not end within {self._timeout_s:g} s and was killed: {_tail(err, ERROR_LENGTH)}"
            ) from error
        finally:
            _end(process)
        return process.returncode


def environment(word: Word) -> dict[str, str]:
    """Ours without what is Airflow's and Glidepath's own, and the word."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    names = ("phase", "release", "service", "namespace", "helm_release", "stable", "canary", "version", "key")
    told = {f"GLIDEPATH_{name.upper()}": str(getattr(word, name)) for name in names}
    return {**kept, **told, "GLIDEPATH_VALUES": json.dumps(word.values)}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, and what it started and left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def _tail(file: IO[bytes], length: int) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - length))
    return file.read().decode(errors="replace").strip()
