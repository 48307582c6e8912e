"""A clock that steps: a library that is loaded before all others, built out of `stepclock.c`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def stepclock(folder: Path) -> Path:
    """The library by which the clock steps; built with whichever C compiler is there, else with Debian's small tcc."""
    built = folder / "stepclock.so"
    if not built.exists():
        compiler = next((one for one in ("cc", "gcc", "tcc") if shutil.which(one)), None)
        if compiler is None:
            subprocess.run(["apt-get", "install", "-y", "tcc"], check=True, capture_output=True)
        source = Path(__file__).parent / "stepclock.c"
        command = [compiler or "tcc", "-shared", "-fPIC", "-o", str(built), str(source)]
        subprocess.run(command, check=True, capture_output=True)
    return built
