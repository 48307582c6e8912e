"""Which code this is: of an installed package what it was built from, of a checkout what git says."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT_S = 5.0
UNKNOWN = "unknown"


@cache
def code_version() -> str:
    """The version of this code, as the record keeps it.

    An installed package says the version that it was built as; a checkout its last tag, commits since and commit, with
    `-dirty` where files were changed. `unknown` where neither is there, such as in a copy without git.
    """
    return _installed() or _checked_out() or UNKNOWN


def _installed() -> str:
    try:
        distribution = metadata.distribution("glidepath")
    except metadata.PackageNotFoundError:
        return ""
    # One that was installed elsewhere does not say what this code is.
    return distribution.version if Path(str(distribution.locate_file("glidepath"))).resolve() == HERE else ""


def _checked_out() -> str:
    command = ["git", "-C", str(HERE), "describe", "--tags", "--always", "--dirty"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.strip()
