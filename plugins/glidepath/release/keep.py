"""Keeps the claim alive while a task works: the guard renews it too, but is not there from the first to the last task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from glidepath.errors import ClaimLostError, GlidepathError
from glidepath.release.run import Run

# How often a claim is renewed in the time after which it expires.
RENEWALS = 6


@contextmanager
def kept(run: Run) -> Iterator[None]:
    """Renew the claim in the background until the block is left. A claim that is lost is the block's to find out."""
    done = threading.Event()
    claim = run.claim

    def renew() -> None:
        while not done.wait(run.spec.lease / RENEWALS):
            try:
                run.ports.claims.renew(claim)
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
