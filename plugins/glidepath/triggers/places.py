"""A trigger among those of the same task: Airflow may begin it in another process while this one goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from glidepath.errors import RecordError, ReplacedError

if TYPE_CHECKING:
    from glidepath.record import Record
    from glidepath.record.turns import Turn
    from glidepath.release.run import Run

log = logging.getLogger(__name__)

# How often a trigger shows life, and after how long without it counts as gone, seconds.
SIGN_S, SILENT_S = 3.0, 20.0
# How long a trigger that Airflow ended looks whether another goes on. A person's word has to be followed within two.
LOOK_S, POLL_S = 1.5, 0.05
DEFERRED = "deferred"

# Whether Airflow has been asked for something by this process: `triggers.warm`.
warmed = threading.Event()


class Place:
    """A trigger's place: its turn in the record, and what Airflow says of its task.

    Args:
        release_id: The release in the record.
        role: What it does there.
    """

    def __init__(self, release_id: str, role: str) -> None:
        self.release_id, self.role = release_id, role
        self._mine = 0
        self._shown = self._changed = 0.0
        self._seen: tuple[int, float] | None = None

    def take(self) -> Turn:
        """Begin: from now on this trigger is the one at work."""
        taken = _record().turns.take(self.release_id, self.role, time.time())
        self._mine, self._shown, self._seen = taken.number, time.monotonic(), None
        return taken

    def mine(self) -> Turn:
        """This trigger's turn as it is now, with what was read last.

        Raises:
            ReplacedError: Another has begun since.
            RecordError: The record can't be read.
        """
        now = _record().turns.find(self.release_id, self.role)
        if now is None or now.number != self._mine:
            raise ReplacedError(f"another process has begun the {self.role} of {self.release_id} since")
        return now

    def keep(self) -> None:
        """Show life.

        Raises:
            ReplacedError: Another has begun since.
            RecordError: The record can't be written.
        """
        if time.monotonic() - self._shown < SIGN_S:
            return
        if not _record().turns.keep(self.release_id, self.role, self._mine, time.time()):
            raise ReplacedError(f"another process has begun the {self.role} of {self.release_id} since")
        self._shown = time.monotonic()

    def free(self) -> bool:
        """Whether the trigger that began since has ended, or shows no sign of life: then this one goes on."""
        now = _record().turns.find(self.release_id, self.role)
        seen = (now.number, now.at) if now else None
        if seen != self._seen:
            self._seen, self._changed = seen, time.monotonic()
        return now is None or now.left or time.monotonic() - self._changed > SILENT_S

    def passed_on(self, task_instance: Any) -> bool:
        """Whether the trigger that Airflow ended here goes on elsewhere. No, if nobody can say.

        Airflow ends it when a person acts on its task, and when another process has been given it.
        """
        answer = _asked(task_instance)[0]
        until = time.monotonic() + LOOK_S
        with suppress(RecordError):
            _record().turns.leave(self.release_id, self.role, self._mine)
        while not (another := self._another()) and not answer and time.monotonic() < until:
            time.sleep(POLL_S)
        return another or answer == [DEFERRED]

    def ended(self, task_instance: Any, load: Callable[[], Run], why: str) -> None:
        """Airflow ended the trigger here: take the release back for this reason, if it does not go on elsewhere."""
        from glidepath.release.abort import abort

        if self.passed_on(task_instance):
            log.info("%s: ended here; it goes on in another process", self.role)
            return
        abort(load(), why)

    def _another(self) -> bool:
        try:
            now = _record().turns.find(self.release_id, self.role)
        except RecordError:
            return False
        alive = now is not None and not now.left and abs(time.time() - now.at) < SILENT_S
        return alive and now is not None and self._mine not in (0, now.number)


def task_state(task_instance: Any, within_s: float = LOOK_S) -> str:
    """The state of a task as Airflow has it; empty when Airflow does not say it in time."""
    answer, thread = _asked(task_instance)
    thread.join(within_s)
    return answer[0] if answer else ""


def warm_up(task_instance: Any) -> None:
    """Ask Airflow once beforehand: a triggerer's first question takes many seconds, and later ones must not."""
    if task_instance is not None and not warmed.is_set():
        warmed.set()
        _asked(task_instance)


def _asked(task_instance: Any) -> tuple[list[str], threading.Thread]:
    """Ask Airflow for a task's state, in a thread of its own; where the answer will be."""
    answer: list[str] = []
    thread = threading.Thread(target=lambda: answer.extend(_state(task_instance)), name="glidepath-ask", daemon=True)
    thread.start()
    return answer, thread


def _state(task_instance: Any) -> list[str]:
    """The state of a task as Airflow has it, alone in a list; nothing when Airflow can't say."""
    if task_instance is None:
        return []
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    of = task_instance
    try:
        states = RuntimeTaskInstance.get_task_states(dag_id=of.dag_id, task_ids=[of.task_id], run_ids=[of.run_id])
    except Exception as error:  # whatever it is, it is no answer
        log.warning("Airflow does not say what became of task %s: %s", of.task_id, error)
        return []
    state = (states.get(of.run_id) or {}).get(of.task_id)
    return [str(getattr(state, "value", state))]


def _record() -> Record:
    from glidepath.record import Record

    return Record()
