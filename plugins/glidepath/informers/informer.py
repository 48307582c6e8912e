"""One list and watch of a kind, in a thread, that keeps a cache equal to the API."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from kubernetes import client

from glidepath.informers.cache import Cache, GoneError
from glidepath.informers.streams import Kind, listed, watched
from glidepath.kube import refused

log = logging.getLogger(__name__)

# Between tries, growing, seconds; for want of a right; and how often all is listed anew though nothing went wrong: what
# an API server watches of etcd may stand still, too.
PAUSE_S, LONGEST_S, REFUSED_S, RESYNC_S = 0.5, 30.0, 60.0, 120.0


class Connection(Protocol):
    """What an informer needs of the cluster that it watches."""

    @property
    def api(self) -> client.ApiClient:
        """The newest client."""

    @property
    def lasts_s(self) -> int:
        """How long a watch may last, seconds."""


class Informer:
    """Keeps a cache; `start` it once, and `stop` it when nobody reads any more.

    Args:
        connection: The cluster.
        path: The path of the kind.
        kind: What is watched.
        namespaces: Those whose objects are kept, by now.

    Attributes:
        cache: What there is.
        refused: Whether the account may not list or watch; then all is read from the API, as by a build without watches.
    """

    def __init__(self, connection: Connection, path: str, kind: Kind, namespaces: Callable[[], frozenset[str]]) -> None:
        self._connection, self._path, self._kind, self._namespaces = connection, path, kind, namespaces
        self.cache, self.refused = Cache(), False
        self._over, self._failed, self._resync = threading.Event(), 0, 0.0

    def start(self) -> None:
        """Begin to watch; nothing is waited for."""
        threading.Thread(target=self._serve, name=f"glidepath-watch-{self._kind.kind}", daemon=True).start()

    def stop(self) -> None:
        """Have the thread end with the watch that it is in; nothing is waited for."""
        self._over.set()
        self.cache.doubt()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                self._follow()
            except GoneError as error:
                log.info("watch of %s: listed anew: %s", self._path, error)
                self.cache.doubt()
                self._pause(0)
            except Exception as error:  # whatever it is, the thread goes on, and the cache answers nothing meanwhile
                self._broken(error)

    def _follow(self) -> None:
        """List if need be, then watch until the watch ends."""
        wanted = self._namespaces()
        if self.cache.version is None or time.monotonic() > self._resync or not self.cache.covers(wanted):
            at = time.monotonic()
            found = listed(self._connection.api, self._path, self._kind)
            self.cache.replace(found.objects, found.version, at, wanted)
            if self.refused:  # who may list and not watch would go by what is old
                self.cache.suspect()
            self._resync = at + RESYNC_S * random.uniform(0.8, 1.2)
        assert self.cache.version is not None
        api, lasts_s = self._connection.api, self._connection.lasts_s
        for event, at in watched(api, self._path, self._kind, self.cache.version, lasts_s, self._opened):
            if self._over.is_set():
                return
            self.cache.take(event, at)

    def _opened(self, at: float) -> None:
        self.cache.opened(at)
        self._failed, self.refused = 0, False

    def _broken(self, error: Exception) -> None:
        """Wait, then go on from the last version; a right that is wanting is said once."""
        status = int(getattr(error, "status", 0) or 0)
        self.cache.suspect()
        if status == HTTPStatus.GONE:
            self.cache.doubt()
        if refused(status, str(error)):
            if not self.refused:
                log.warning(
                    "%s can't be watched (%d): it is read anew at each look, as before. Expected the verbs list and watch in "
                    "the account's role; the chart's role has them", self._path, status,
                )  # fmt: skip
            self.refused = True
            self.cache.doubt()
            self._pause(REFUSED_S)
            return
        log.debug("watch of %s: tried again: %s", self._path, error)
        self._pause(min(PAUSE_S * 2**self._failed, LONGEST_S))

    def _pause(self, seconds: float) -> None:
        self._failed = min(self._failed + 1, 16)
        self._over.wait(max(seconds, PAUSE_S) * random.uniform(0.8, 1.2))
