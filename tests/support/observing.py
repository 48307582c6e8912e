"""A release in its window after a promotion."""

from __future__ import annotations

from glidepath.release.events import Decided
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.observe import observe
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from tests.support.stage import Stage
from tests.support.tasks import Action, first, over, second

NUMBER = 3
JUDGED = "after_promotion: {warm: 60s, holdback: 5}\n"
UNJUDGED = "after_promotion: {warm: 60s}\n"


def proven(run: Run) -> None:
    """The guard's word on the last step."""
    run.note(Decided(2, "promote", "proven", 0))


UP_TO_WINDOW: tuple[Action, ...] = (claim, deploy, first, second, proven, promote)
END: tuple[Action, ...] = (settle, finish)
GOOD: tuple[Action, ...] = (*UP_TO_WINDOW, over, observe, *END)


def opened(stage: Stage, policy: str = JUDGED) -> tuple[Run, Guard]:
    """A release in its window, and its guard, which has its first baseline."""
    run = stage.run(policy=policy)
    for action in UP_TO_WINDOW[:2]:
        action(run)
    stage.prometheus.scrape("v2", 0)
    for action in UP_TO_WINDOW[2:]:
        action(run)
    guard = Guard(run)
    guard.tick()
    return run, guard


def word(run: Run) -> tuple[Decision, str] | None:
    """The guard's word on the window."""
    return run.journal.answer_on(NUMBER)
