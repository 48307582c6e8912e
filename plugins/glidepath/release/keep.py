"""Keeps the claim alive while a task works: the guard renews it too, but is not there from the first to the last task.

A task that works is no proof that anybody looks. So where the canary has traffic that a guard judges, the task renews
only while the record gets looks: a claim that is kept alive keeps the watchdog away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from glidepath.errors import ClaimLostError, GlidepathError, RecordError
from glidepath.release.run import Run
from glidepath.release.watched import judged, step_in_force

# How often a claim is renewed in the time after which it expires.
RENEWALS = 6


class Watch:
    """Whether somebody looks at the canary's traffic, as the record shows it.

    Args:
        run: The release.
        steady: A clock that does not jump, seconds.
    """

    def __init__(self, run: Run, steady: Callable[[], float] = time.monotonic) -> None:
        self._run, self._steady = run, steady
        self._newest: float | None = None
        self._changed = steady()

    def kept(self) -> bool:
        """Whether there was a look within the time of a lease, or none is needed. Call it several times a lease."""
        try:
            step = step_in_force(self._run)
            newest = self._look() if step is not None and judged(self._run, step) else None
            if newest is None or newest != self._newest:
                self._newest, self._changed = newest, self._steady()
        except RecordError as error:  # then the guard can't look either
            self._run.say(f"whether the guard looks can't be read: {error}")
        return self._steady() - self._changed <= self._run.spec.lease

    def _look(self) -> float:
        look = self._run.ports.record.last_look(self._run.id)
        return float(look["at"]) if look else 0.0


@contextmanager
def kept(run: Run) -> Iterator[None]:
    """Renew the claim in the background until the block is left. A claim that is lost is the block's to find out."""
    done = threading.Event()
    claim, watch = run.claim, Watch(run)

    def renew() -> None:
        said = False
        while not done.wait(run.spec.lease / RENEWALS):
            try:
                if watch.kept():
                    run.ports.claims.renew(claim)
                    said = False
                elif not said:
                    run.say(
                        f"nobody has looked for {run.spec.lease:.0f} s: the claim is not renewed before the next look"
                    )
                    said = True
            except ClaimLostError:
                return
            except GlidepathError as error:
                run.say(f"the claim could not be renewed, tried again: {error}")

    thread = threading.Thread(target=renew, name="glidepath-claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=30)
