"""The task `settle`: closes what neither exit closed."""

from __future__ import annotations

from glidepath.release.brake import surely_taken_back
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.holding import lease, ours
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.release.tasks.rollback import rollback

UNDECIDED = "the run, or a task of it, was ended in Airflow or died before anything was decided"


@leaves_nothing
def settle(run: Run) -> None:
    """Close a release that neither exit closed (a task failed on the way): on stable, or on the new one if committed."""
    if run.release.outcome is None and not _claimed(run):
        run.close(Phase.REFUSED, "the service could not be claimed; nothing was touched")
    if run.release.outcome is not None:
        run.say(f"settle: the release ended {run.release.outcome}; nothing to settle")
        return
    last = run.journal.failure()
    surely_taken_back(run, f"{last.task} failed: {last.why}" if last else UNDECIDED)
    rollback(run)


def _claimed(run: Run) -> bool:
    """Whether the service was claimed; the record may not know a claim whose task died."""
    if run.release.token is None:
        state = lease(run)
        if state is None or not ours(run, state):
            return False
        run.ports.record.set_token(run.id, state.token)
    return True
