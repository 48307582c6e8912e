"""Where things live, how commands are run, how progress is told."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]


class SandboxError(Exception):
    """Says what went wrong and what to do."""


def cache() -> Path:
    """Built binaries and images, shared by all checkouts: GLIDEPATH_CACHE, else the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("GLIDEPATH_CACHE") or Path(home) / "glidepath")


def state() -> Path:
    """This sandbox's running state: GLIDEPATH_STATE, else a folder keyed by the checkout's path.

    Not inside the checkout: unix socket paths end at 107 characters.
    """
    key = hashlib.sha256(str(REPO).encode()).hexdigest()[:8]
    return Path(os.environ.get("GLIDEPATH_STATE") or f"/var/lib/glidepath/{key}")


_started = time.monotonic()


def say(text: str) -> None:
    """A line of progress, with the seconds since the start."""
    print(f"[sandbox {time.monotonic() - _started:5.0f} s] {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str],
    timeout_s: float = 120,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    given: str | None = None,
    what: str | None = None,
) -> str:
    """Run a command to its end and give its standard output.

    Raises:
        SandboxError: It failed, could not be started or took too long; the end of its output is in the message.
    """
    name = what or " ".join(command[:3])
    try:
        done = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=given,
            check=False,
        )
    except FileNotFoundError as error:
        raise SandboxError(f"{name}: {command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"{name} did not end within {timeout_s:.0f} s") from error
    if done.returncode != 0:
        raise SandboxError(f"{name} failed ({done.returncode}): {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout


def wait(what: str, ready: Callable[[], bool], timeout_s: float, poll_s: float = 0.3) -> None:
    """Wait for a condition, saying so when it takes long.

    Raises:
        SandboxError: It did not come true in time.
    """
    started = told = time.monotonic()
    while not ready():
        now = time.monotonic()
        if now - started > timeout_s:
            raise SandboxError(f"{what}: not within {timeout_s:.0f} s; see: python3 -m sandbox logs")
        if now - told > 10:
            say(f"waiting for {what} ({now - started:.0f} s of at most {timeout_s:.0f} s)")
            told = now
        time.sleep(poll_s)


def digest(*parts: bytes | str | Path) -> str:
    """A short key of texts, bytes and the contents of files and folders."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(path for path in part.rglob("*") if path.is_file()) if part.is_dir() else [part]
            for file in files:
                if "__pycache__" in file.parts:
                    continue
                total.update(str(file.relative_to(part.parent)).encode() + b"\0" + file.read_bytes() + b"\0")
        else:
            total.update((part.encode() if isinstance(part, str) else part) + b"\0")
    return total.hexdigest()[:16]
