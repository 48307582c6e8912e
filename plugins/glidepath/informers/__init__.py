"""What the guards of a process read of a cluster at rest: one list and watch for all of them, instead of a read for each.

A cache answers only while it can prove that it is fresh; else the read goes to the API. Nothing is decided or written by
what a cache says: whoever finds something in it reads the API before acting.
"""

from glidepath.informers.objects import WatchedObjects
from glidepath.informers.shared import Reader, reader

__all__ = ["Reader", "WatchedObjects", "reader"]
