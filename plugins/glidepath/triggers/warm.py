"""Has a triggerer answer its first question at its start, when no trigger waits for it.

Airflow's triggerer builds what answers its triggers when one of them first asks: 4 s of processor, 20 s on a busy machine.
Until it is built the triggerer shows no life and begins no trigger. For one that has just taken over another's guards
that is the rest of their lease; for one that has guards already it can be long enough to lose them to the next.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import Any

from glidepath.triggers.places import warmed

log = logging.getLogger(__name__)

RUNNER = "airflow.sdk.execution_time.task_runner"
# How long a new process is looked at, and how often. One that has no triggers never gets what it could ask by.
LOOK_S, POLL_S = 120.0, 0.2


def warm_at_start() -> None:
    """From now on each process that is forked asks once, in a thread, as soon as it can ask at all."""
    os.register_at_fork(after_in_child=_begin)


def _begin() -> None:
    threading.Thread(target=ask_once, name="glidepath-warm", daemon=True).start()


def ask_once(look_s: float = LOOK_S) -> None:
    """Wait until this process can ask Airflow something, then do.

    Args:
        look_s: After so many seconds it is given up.
    """
    until, pause = time.monotonic() + look_s, threading.Event()
    while time.monotonic() < until and not warmed.is_set():
        if _asked():
            warmed.set()
            return
        pause.wait(POLL_S)


def _asked() -> bool:
    """Ask for the state of a task that there is not; whether that could be asked."""
    runner: Any = sys.modules.get(RUNNER)
    if getattr(runner, "SUPERVISOR_COMMS", None) is None:
        return False
    try:
        runner.RuntimeTaskInstance.get_task_states(dag_id="glidepath", task_ids=["none"], run_ids=["none"])
    except RuntimeError:  # so early that nobody would hear the answer
        return False
    except Exception as error:  # an answer, whatever it says
        log.debug("Airflow's first answer: %s", error)
    return True
