"""The brake: 100 % of the traffic on stable, now. The same code from everywhere."""

from __future__ import annotations

import time

from glidepath.release.run import Run
from glidepath.traffic import Split


def brake(run: Run, reason: str) -> float:
    """Put all traffic on stable and read it back; done already, it does nothing.

    Args:
        run: The release.
        reason: Why, for the record.

    Returns:
        Seconds from the call to the mesh's configuration reading 100/0.

    Raises:
        ClaimLostError: Another token holds the service: it is the other's to keep safe.
        ClusterError: The API did not answer; call again.
    """
    started, at = time.monotonic(), run.now()
    split = run.ports.traffic.read().split
    if split.stable == run.stable and (split.canary is None or split.canary_weight == 0):
        return 0.0
    run.ports.traffic.shift(run.claim, Split(run.stable, run.canary, 0))
    seconds = time.monotonic() - started
    run.note("brake", once="brake", at=at, seconds=seconds, reason=reason)
    run.say(f"brake: {run.stable} 100 %, {run.canary} 0 %, read back after {seconds:.2f} s: {reason}")
    return seconds


def taken_back(run: Run) -> bool:
    """Whether this release has been told to go back; nothing may give its canary weight any more."""
    return run.ports.record.once(run.id, "taken_back") is not None


def take_back(run: Run, reason: str) -> None:
    """Note that the release goes back, then brake. The note never keeps the brake from being pulled.

    Raises:
        GlidepathError: The brake failed; call again.
    """
    try:
        run.note("taken_back", once="taken_back", reason=reason)
    finally:
        brake(run, reason)
