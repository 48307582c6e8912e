"""What a watchdog tells of a release: rendered from the Lease that a real guard has written."""

from __future__ import annotations

from pathlib import Path

from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from glidepath.watchdog.server import render
from tests.support.apiserver import NAMESPACE, ApiServer
from tests.support.guards import ticks
from tests.support.releases import taken_back, undecided
from tests.support.stage import Stage


def exposed(folder: Path) -> str:
    """The text of /metrics in the middle of a release, after one that was taken back."""
    with ApiServer() as server:
        stage = Stage(server, folder)
        facts = Health()
        watchdog = Watchdog(server.api(), NAMESPACE, facts, now=lambda: stage.clock, monotonic=lambda: stage.clock)
        watchdog.look()
        taken_back(stage)
        watchdog.look()
        told = undecided(stage)
        watchdog.look()
        ticks(stage, told.guard, 3)
        watchdog.look()
        facts.passed = 1.0
        return render(facts, 2.0)
