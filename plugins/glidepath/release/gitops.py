"""The handover: whoever owns the service's values is told of a promotion before it is final, and of one taken back.

A controller that goes by git (Argo CD, Flux) would else put the old version back at its next sync, unjudged. What was
told is in the record, in order: that it is about to be, before; that it was, after. So a release that goes back after a
promotion may have been told knows that it owes a word, whoever died in between. While it is owed the objects stay held:
no sync can bring back by then what was taken back.
"""

from __future__ import annotations

from typing import Literal

from glidepath.deploy import values as chart
from glidepath.errors import HandoverError, PreflightError
from glidepath.handover import PROMOTE, ROLLBACK, Word
from glidepath.policy import Image, ReleaseSpec
from glidepath.ports import Ports
from glidepath.record import Record, Release
from glidepath.release.brake import taken_back
from glidepath.release.events import HandedOver
from glidepath.release.journal import Journal
from glidepath.release.phases import Phase
from glidepath.release.run import Run, Say, releases_of

ASKED, DONE, FAILED = "asked", "done", "failed"


def check(spec: ReleaseSpec, ports: Ports, say: Say) -> None:
    """Make sure that no controller will undo the release, or that the policy says how it learns of it.

    Raises:
        PreflightError: Names the controller's marks and what to do; or the handover can't be asked.
    """
    marks = ports.workloads.marks(spec.helm.release)
    listed = "; ".join(f"{mark.controller}: {mark.what} on {mark.where}" for mark in marks[:3])
    if marks and spec.gitops is None:
        raise PreflightError(
            f"a controller brings {spec.service} to what git has, and would undo the release at its next sync, unjudged: "
            f"{listed}; nothing was touched. Say in the policy how it is handed over, such as gitops: {{handover: webhook, "
            "connection: values_bot}, or gitops: {handover: none} to release at your own risk (docs/gitops.md)"
        )
    if ports.handover is not None:
        say(f"plan: a promotion is handed over by {ports.handover.check()}" + (f"; {listed}" if marks else ""))
    if ports.sync is not None:
        say(f"plan: while the release holds the service, the sync is paused of {ports.sync.check()}")
    if ports.handover is None and marks:
        say(
            f"plan: WARNING: nobody is told of a promotion (gitops.handover: none), the next sync may undo it: {listed}"
        )


def hand_over(run: Run) -> None:
    """Tell of the promotion, before the point of no return; told already, nothing is done.

    Raises:
        ClaimLostError: The claim was lost meanwhile: a handover may take minutes.
        HandoverError: It was refused, or not answered in time; the release is not committed.
    """
    port, record = run.ports.handover, run.ports.record
    if port is None or _told(record, run.id) == "yes":
        return
    _note(run, run.id, PROMOTE, ASKED)
    if taken_back(run):
        return
    try:
        answer = port.tell(word(run.release, PROMOTE))
    except HandoverError as error:
        _note(run, run.id, PROMOTE, FAILED, why=str(error), untold=error.untold)
        raise
    _note(run, run.id, PROMOTE, DONE, answer=answer)
    run.say(f"handover: {run.canary} is told to be the stable version: {answer}")
    if taken_back(run):  # its rollback may have told before this was
        hand_back(run)
        return
    run.ports.claims.renew(run.claim)


def hand_back(run: Run, release: Release | None = None) -> None:
    """Tell that a promotion was taken back, if it may have been told. Does nothing the second time.

    Args:
        run: The release that tells.
        release: The one that owes it; None: the same.

    Raises:
        HandoverError: It was refused, or not answered in time; call again.
    """
    of = release or run.release
    if not owed(run.ports.record, of.id):
        return
    order = word(of, ROLLBACK)
    if run.ports.handover is None:
        run.say(
            f"handover: WARNING: the values may say {of.canary}, and the policy names nobody to tell of {of.stable}"
        )
        return
    _note(run, of.id, ROLLBACK, ASKED)
    try:
        answer = run.ports.handover.tell(order)
    except HandoverError as error:
        _note(run, of.id, ROLLBACK, FAILED, why=str(error))
        raise HandoverError(
            f"the values of {of.service} may still say that {of.canary} is stable, and who owns them could not be told "
            f"that it is {of.stable}: {error}. The objects stay held until it is: set the values back, and clear this task"
        ) from error
    _note(run, of.id, ROLLBACK, DONE, answer=answer)
    run.say(f"handover: {of.stable} is told to be the stable version again: {answer}")


def hand_back_or_say(run: Run) -> str:
    """As `hand_back`, for a rollback, which goes on if it fails. Returns what to add to the rollback's reason."""
    try:
        hand_back(run)
    except HandoverError as error:
        run.say(f"handover: tried again at the end: {error}")
        return f"; NOT handed back yet: the values may say that {run.canary} is stable"
    return ""


def hand_back_others(run: Run) -> None:
    """Tell what earlier releases of the service still owe because their runs were lost.

    Raises:
        HandoverError: As for `hand_back`.
    """
    for earlier in releases_of(run.ports.record, run.spec):
        if earlier.outcome == Phase.PROMOTED:  # its values have overruled what came before
            return
        if earlier.id != run.id and earlier.outcome is not None:
            hand_back(run, earlier)


def pause(run: Run) -> None:
    """Pause the sync that the policy names, for as long as this release holds the service.

    Raises:
        ClusterError: The API refused or did not answer; call again.
    """
    if run.ports.sync is not None:
        run.say(f"claim: {run.ports.sync.pause(run.id)}")


def resume(run: Run, own: bool = False) -> None:
    """Resume the sync that this release, or one that was lost, had paused. Call under the claim: the next release may pause it.

    Args:
        run: The release.
        own: Only what this release has paused: that needs no claim.

    Raises:
        ClusterError: The API refused or did not answer; call again.
    """
    if run.ports.sync is not None:
        run.say(f"finish: {run.ports.sync.resume(run.id if own else None)}")


def owed(record: Record, release_id: str) -> bool:
    """Whether a promotion that came to nothing may have been told, and was not taken back since."""
    if _told(record, release_id) == "no":
        return False
    return not Journal(record, release_id).committed()


def word(release: Release, phase: str) -> Word:
    """What is told of a release."""
    version = release.canary if phase == PROMOTE else release.stable
    image = ReleaseSpec.from_dict(release.spec).image if phase == PROMOTE else Image()
    values = chart.with_canary(chart.with_image({}, version, image), version, None, 0, 0)
    del values["release"]  # the claim's token is nobody's to write down
    return Word(
        phase=PROMOTE if phase == PROMOTE else ROLLBACK,
        release=release.id,
        service=release.service,
        namespace=release.namespace,
        helm_release=str(release.spec["helm"]["release"]),
        stable=release.stable,
        canary=release.canary,
        version=version,
        values=values,
    )


def _told(record: Record, release_id: str) -> Literal["yes", "perhaps", "no"]:
    """Whether a promotion has been told since the last time that it was taken back."""
    answer: Literal["yes", "perhaps", "no"] = "no"
    pending = False
    for handover in Journal(record, release_id).handovers():
        if handover.phase == ROLLBACK:
            answer, pending = ("no", False) if handover.state == DONE else (answer, pending)
            continue
        pending = handover.state == ASKED
        if handover.state == DONE:
            answer = "yes"
        elif handover.state == FAILED and answer == "no" and not handover.untold:
            answer = "perhaps"
    return "perhaps" if pending and answer == "no" else answer


def _note(
    run: Run, release_id: str, phase: str, state: str, *, why: str = "", untold: bool = False, answer: str = ""
) -> None:
    """Write it into the journal of the release that it is about, which may be another than the one that tells."""
    entry = HandedOver(phase, state, run.id, why, untold, answer)
    Journal(run.ports.record, release_id).write(entry, run.now())
