"""Airflow as a supervisor runs it: each component is started again when it ends, with all that it started.

`python -m tests.faults.supervisor HOME`. While HOME/held/NAME is there the component stays down. HOME/environment.json
is laid over the environment at each start of a component. There is a second triggerer, which is only up when
HOME/wanted/triggerer-2 is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from rig.supervisor import Component, supervise

COMPONENTS = ("scheduler", "dag-processor", "api-server", "triggerer")
SECOND = "triggerer-2"
LOG_PORT = "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"


def _given(home: Path) -> dict[str, str]:
    file = home / "environment.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def main() -> None:
    """Run until told to stop, then end everything in order."""
    home = Path(sys.argv[1])
    (home / "held").mkdir(exist_ok=True)
    subprocess.run(["airflow", "db", "migrate"], check=True, stdin=subprocess.DEVNULL)
    port = {LOG_PORT: str(int(os.environ[LOG_PORT]) + 1)}
    second = Component(
        SECOND,
        ["airflow", "triggerer"],
        home,
        lambda: _given(home) | port,
        (home / "wanted" / SECOND).exists,
    )
    supervise([*(Component(name, ["airflow", name], home, lambda: _given(home)) for name in COMPONENTS), second], home)


if __name__ == "__main__":
    main()
