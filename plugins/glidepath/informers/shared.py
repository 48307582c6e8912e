"""Who shares which watches: all readers of one connection of a process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from kubernetes import client

from glidepath.informers.cache import Cache, Object
from glidepath.informers.informer import Informer
from glidepath.informers.streams import Kind, streaming
from glidepath.kube import Objects

log = logging.getLogger(__name__)

# So many namespaces are watched one by one; with more, all of them by one watch, where the account may.
APART = 8
# Watches, and so threads, of one connection at most; what is beyond is read from the API.
MOST = 100
# What a watch lasts, as a part of how old what is read may be: that it is begun anew is its sign of life. In seconds.
PART, SHORTEST_S, LONGEST_S = 0.75, 2, 60
EVERYWHERE = ""
# What is told apart by the API already, where only a few of many are ever asked for.
NARROWED = {"v1/secrets": "owner=helm"}

# A read: how to make it again, and what was found; nothing where that was not known, and None for what the API was asked for.
Noted = tuple[Callable[..., object], tuple[object, ...], object] | None

_lock = threading.Lock()
_clusters: dict[tuple[str, str], Cluster] = {}


class Reader:
    """One guard's share of what its process watches. Close it when its release ends.

    Args:
        cluster: What is watched.
        namespace: The guard's namespace.
        within_s: How old what is read may be at most, seconds.
    """

    def __init__(self, cluster: Cluster, namespace: str, within_s: float) -> None:
        self._cluster, self.namespace, self.within_s = cluster, namespace, within_s
        self._noted: list[Noted] | None = None

    @contextmanager
    def noted(self) -> Iterator[list[Noted]]:
        """What is read until the end, by one thread."""
        before, self._noted = self._noted, []
        try:
            yield self._noted
        finally:
            self._noted = before

    def same(self, reads: Iterable[Noted]) -> bool:
        """Whether what was read is known now, and is what it was then. What the API was asked for is not."""
        return all(read is not None and read[2] is not None and read[0](*read[1]) is read[2] for read in reads)

    def beyond(self) -> None:
        """Note that the API is asked."""
        if self._noted is not None:
            self._noted.append(None)

    def get(self, kind: str, name: str) -> tuple[bool, Object | None]:
        """Whether it is known now, and then an object, or None where there is none."""
        known, found = self._get(kind, name)
        if self._noted is not None:
            self._noted.append((self._found, (kind, name), found if known else None))
        return known, found

    def _found(self, kind: str, name: str) -> Object | None:
        return self._get(kind, name)[1]

    def _get(self, kind: str, name: str) -> tuple[bool, Object | None]:
        cache = self._cluster.cache(Kind(kind), self.namespace)
        return (False, None) if cache is None else cache.get(self.namespace, name, time.monotonic(), self.within_s)

    def all(self, kind: str, metadata: bool = False, label: tuple[str, str] | None = None) -> tuple[Object, ...] | None:
        """All objects of a kind, or those with a label; None where they are not known now."""
        found = self._all(kind, metadata, label)
        if self._noted is not None:
            self._noted.append((self._all, (kind, metadata, label), found))
        return found

    def _all(self, kind: str, metadata: bool, label: tuple[str, str] | None) -> tuple[Object, ...] | None:
        cache = self._cluster.cache(Kind(kind, NARROWED.get(kind, "") if metadata else "", metadata), self.namespace)
        return None if cache is None else cache.all(self.namespace, time.monotonic(), self.within_s, label)

    def close(self) -> None:
        """Read no more; whoever is the last ends the watches."""
        self._cluster.leave(self)


class Cluster:
    """What a process watches by one connection.

    Attributes:
        api: The newest client of it.
    """

    def __init__(self, key: tuple[str, str]) -> None:
        self._key = key
        self.api: client.ApiClient = None
        self._of: client.ApiClient = None
        self._readers: set[Reader] = set()
        self._informers: dict[tuple[Kind, str], Informer] = {}
        self._full = False

    @property
    def lasts_s(self) -> int:
        """How long a watch may last, seconds: so that the strictest reader's bound is kept."""
        within_s = min((reader.within_s for reader in list(self._readers)), default=LONGEST_S / PART)
        return int(min(max(within_s * PART, SHORTEST_S), LONGEST_S))

    def join(self, api: client.ApiClient, namespace: str, within_s: float) -> Reader:
        """Read along; the lock is held."""
        if self._of is not api:
            self._of, self.api = api, streaming(api)
        made = Reader(self, namespace, within_s)
        self._readers = self._readers | {made}
        return made

    def leave(self, reader: Reader) -> None:
        """Read along no more: watches that nobody needs end."""
        with _lock:
            self._readers = self._readers - {reader}
            left = self._namespaces() | ({EVERYWHERE} if self._readers else set())
            for key in [key for key in self._informers if key[1] not in left]:
                self._informers.pop(key).stop()
            if not self._readers and _clusters.get(self._key) is self:
                del _clusters[self._key]

    def cache(self, kind: Kind, namespace: str) -> Cache | None:
        """The cache that has a kind of a namespace; a watch begins at the first read. None where there is none."""
        for where in (EVERYWHERE, namespace):
            informer = self._informers.get((kind, where))
            if informer is not None and not informer.refused:
                return informer.cache
        with _lock:
            return self._begun(kind, namespace)

    def _begun(self, kind: Kind, namespace: str) -> Cache | None:
        apart = sum(known == kind and where != EVERYWHERE for known, where in self._informers)
        everywhere = self._informers.get((kind, EVERYWHERE))
        if (kind, namespace) in self._informers or namespace not in self._namespaces():
            return None
        if apart >= APART and everywhere is None:
            return self._informer(kind, EVERYWHERE, namespace)
        if len(self._informers) >= MOST:
            if not self._full:
                log.warning("%d watches are as many as there may be; other namespaces are read at each look", MOST)
            self._full = True
            return None
        return self._informer(kind, namespace, namespace)

    def _informer(self, kind: Kind, where: str, namespace: str) -> Cache:
        path = Objects(self.api, namespace).path(kind.kind, everywhere=where == EVERYWHERE)
        only = frozenset({namespace})
        made = Informer(self, path, kind, self._namespaces if where == EVERYWHERE else lambda: only)
        self._informers[kind, where] = made
        made.start()
        return made.cache

    def _namespaces(self) -> frozenset[str]:
        return frozenset(reader.namespace for reader in self._readers)


def reader(api: client.ApiClient, name: str, namespace: str, within_s: float) -> Reader:
    """Read along with all that this process watches by a connection. Nothing is asked of the API before the first read.

    Args:
        api: A client of it; from now on the watches go by this one, whose credentials are the newest.
        name: What the connection is called.
        namespace: Whose objects are read.
        within_s: How old what is read may be at most, seconds.
    """
    key = (name, str(api.configuration.host))
    with _lock:
        if key not in _clusters:
            _clusters[key] = Cluster(key)
        return _clusters[key].join(api, namespace, within_s)
