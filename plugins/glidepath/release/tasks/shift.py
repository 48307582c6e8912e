"""The task `shift`: a step's weight, once there are replicas for it. Run again, it finds nothing to do."""

from __future__ import annotations

import math

from glidepath.deploy import values as chart
from glidepath.errors import NotApprovedError
from glidepath.release.brake import back_if_gone, give, taken_back, taken_back_meanwhile
from glidepath.release.capacity import expected_replicas, replicas_like_stable, see_to
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.events import Replicas, WeightGiven
from glidepath.release.holding import renewing
from glidepath.release.phases import Phase
from glidepath.release.questions import TRAFFIC
from glidepath.release.run import Run
from glidepath.release.stages import Stage, stage
from glidepath.release.versions import given_values, upgrade


@leaves_nothing
def shift(run: Run, number: int) -> None:
    """Give the canary the weight of step `number` (from 1), unless the release has been taken back.

    Raises:
        ClaimLostError: The release no longer holds the service.
        NotApprovedError: A person must approve the first weight, and nobody has.
    """
    if run.ended():
        return
    if taken_back(run):
        run.say(f"shift: the release was taken back; step {number} gets no weight")
        return
    if run.step().number >= number:
        run.say(f"shift: step {number} was given its weight already; nothing is done")
        return
    if number == 1:
        _see_to_approval(run)
    with back_if_gone(run):
        _shift(run, stage(run, number))


def _see_to_approval(run: Run) -> None:
    """Make sure that a canary whose first requests a person must approve has that person's word.

    Raises:
        NotApprovedError: It has none, however Airflow came to be here.
    """
    if TRAFFIC.about not in run.spec.approval.before:
        return
    answer = run.journal.answer(TRAFFIC.about)
    if answer is None or answer.answer != TRAFFIC.yes:
        raise NotApprovedError(
            f"the policy asks a person before {run.canary} gets requests (approval.before: traffic), and the answer to task "
            f"{TRAFFIC.task} is {answer.answer if answer else 'not there'}, expected {TRAFFIC.yes!r}; no request was sent to it. "
            "Release it again, and answer that question"
        )


def _shift(run: Run, target: Stage) -> None:
    with renewing(run):
        _make_room(run, target.weight)
    if taken_back_meanwhile(run):
        return
    run.move(Phase.BAKING)
    started = run.now()

    def still() -> bool:
        return run.step().number < target.number

    def written() -> None:
        seconds = run.now() - started
        run.note(WeightGiven(target.number, target.weight, seconds))
        run.say(
            f"shift: step {target.number} of {len(run.spec.steps)}: {target.routes}, read back after {seconds:.2f} s"
        )

    give(run, target.routes, still, written=written)


def _make_room(run: Run, weight: int) -> None:
    """See to it that the canary, and its baseline, have the ready replicas for their share: as stable has for each percent.

    Raises:
        NotReadyError: They were not ready in time; the weight is not given.
    """
    ports = run.ports
    values = ports.helm.effective_values()
    needed = max(1, math.ceil(replicas_like_stable(run, values) * weight / 100))
    scales, elsewhere = chart.most_replicas(values) is not None, chart.scaled_elsewhere(values)
    have = {version: ports.workloads.readiness(version) for version in run.fresh}
    # What an autoscaler made of its own accord it may take away again: its minimum has to be enough.
    sure = {
        version: chart.least_replicas(values, version) if scales else readiness.wanted
        for version, readiness in have.items()
    }
    if any(count < needed for count in sure.values()) and not elsewhere:
        now, token = ports.traffic.read().split.canary_weight, run.claim.token
        upgrade(run, chart.with_canary(given_values(run), run.stable, run.canary, now, token, needed, run.baseline))
    for version, readiness in have.items():
        if readiness.wanted < needed or not readiness.complete:
            see_to(run, values, version, needed)
            seconds = ports.workloads.wait_ready(version, run.spec.deploy_timeout, least=needed)
            run.say(f"shift: {version} has the {needed} replicas that {weight} % takes, ready after {seconds:.0f} s")
    enough = {version: max(needed, count) for version, count in sure.items()}
    run.note(Replicas(expected_replicas(run, values, enough)))
