"""Which code this is: of an installed package what it was built from, of a checkout what git says."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT_S = 5.0
UNKNOWN = "unknown"
# What a copy without git is told, such as the one in an image.
TOLD = "GLIDEPATH_VERSION"


@cache
def code_version() -> str:
    """The version of this code, as the record keeps it.

    An installed package says the version that it was built as; a checkout its last tag, commits since and commit, with
    `-dirty` where files were changed. A copy without git, as in an image, goes by the environment's `GLIDEPATH_VERSION`;
    without one it is `unknown`.
    """
    return _installed() or _checked_out() or os.environ.get(TOLD) or UNKNOWN


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
