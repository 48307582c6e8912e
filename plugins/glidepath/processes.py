"""Commands that this process starts."""

from __future__ import annotations

import shutil
from functools import cache


@cache
def ends_with_us() -> tuple[str, ...]:
    """What to put before a command that is not to go on without the process that started it, a killed one included.

    A task that Airflow kills would else leave its command at work beside the one that takes the canary back. Where there
    is no `setpriv` (it is Linux' own), the command goes on.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
