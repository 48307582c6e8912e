"""Threads for the blocking calls of triggers: never waited for, so that one call that hangs keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most so many threads, made when needed. A call that still hangs at the end is ended with the process.

    An executor of the standard library joins its threads: at the end of a `with`, on the event loop, and again when the
    interpreter ends.

    Args:
        name: What the threads are called.
        most: How many there may be.
    """

    def __init__(self, name: str, most: int = 1) -> None:
        self._name, self._most, self._made = name, most, 0
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)

    async def __call__(self, do: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Make a blocking call without blocking the loop. Cancelled, it is no longer waited for."""
        future: Future[T] = Future()
        # Airflow tells a trigger's log lines by its context, which a thread does not have by itself.
        self._work.put((future, partial(contextvars.copy_context().run, do, *args, **more)))
        if not self._idle.acquire(blocking=False) and self._made < self._most:
            self._made += 1
            threading.Thread(target=self._serve, name=f"{self._name}-{self._made}", daemon=True).start()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads go, each when its call has ended; nothing is waited for."""
        for _ in range(self._made):
            self._work.put(None)

    def _serve(self) -> None:
        while (job := self._work.get()) is not None:
            future, do = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(do())
                except BaseException as error:
                    future.set_exception(error)
            del future, do, job
            self._idle.release()


async def once(name: str, do: Callable[[], T]) -> T:
    """Make one blocking call in a thread of its own."""
    thread = Threads(name)
    try:
        return await thread(do)
    finally:
        thread.close()
