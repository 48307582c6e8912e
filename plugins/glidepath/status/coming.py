"""What happens next to a release without anybody's doing, and what a person may ask of it."""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.judge import Verdict
from glidepath.release.asking import possible
from glidepath.release.people import Questioned
from glidepath.release.phases import Decision, Phase
from glidepath.release.questions import counts_from
from glidepath.status.facts import Facts
from glidepath.status.form import Coming

# How long a person who is asked may take, by a release of an older code version.
ANSWER_S = 3600.0
UNDECIDED = {"rollback": "taken back", "hold": "a person is asked", "promote": "promoted unless harm is suspected"}


def coming(facts: Facts) -> list[Coming]:
    """What comes next, the nearest first; empty when the release is over."""
    release = facts.release
    if release.outcome is not None:
        return []
    if facts.back is not None:
        return [
            Coming(
                f"{release.stable} has all requests; the pods of {release.canary} are removed and the service is let go"
            )
        ]
    if facts.committed or release.phase == Phase.PROMOTING:
        return [Coming(f"{release.canary} gets all requests and becomes the stable version")]
    if release.phase == Phase.OBSERVING:
        return list(_observed(facts))
    if facts.question is not None:
        return [_unanswered(facts)]
    if not facts.step:
        first = facts.steps[0]["weight"] if facts.steps else 0
        return [Coming(f"{release.canary} is deployed without requests, then gets {first} %")]
    if facts.word is not None and facts.word.step == facts.step:
        return [Coming("the run goes on to what was decided")]
    steps = [Coming("held: no weight is added before somebody resumes it; proven harm is taken back all the same")]
    return [*(steps if facts.held else _step(facts)), *_silence(facts), _deadline(facts)]


def _unanswered(facts: Facts) -> Coming:
    decision, question = facts.decision, facts.last(Questioned)
    if question is None:
        limit = float((facts.spec.get("approval") or {}).get("timeout") or ANSWER_S)
        return Coming("taken back, if nobody answers", decision.noted + limit if decision else None)
    by = f"; {', '.join(question.by)} may answer" if question.by else ""
    end = "promoted" if question.unanswered == Decision.PROMOTE else "taken back"
    return Coming(f"{end}, if nobody answers{by}", question.until)


def deadline(facts: Facts) -> float | None:
    """When the policy answers a release that is still undecided, epoch seconds; None when something decided it."""
    limit = facts.spec.get("max_duration")
    if facts.release.outcome is not None or facts.back or facts.decision or limit is None:
        return None
    before = (facts.spec.get("approval") or {}).get("before") or ()
    return counts_from(facts.release.created, before, facts.entries) + float(limit)


def actions(facts: Facts) -> list[str]:
    """What a person may ask of the release now."""
    return possible(facts.release.phase, facts.release.outcome, facts.entries)


def _step(facts: Facts) -> Iterator[Coming]:
    given, look = facts.given, facts.newest
    if given is None:
        return
    step = facts.steps[min(facts.step, len(facts.steps)) - 1]
    had = look.step_canary_requests if look is not None and look.step == facts.step else 0
    baked = given.noted + float(step["bake"])
    missing = (
        f" once it had {step['min_requests']} requests at this weight ({had} so far)"
        if had < step["min_requests"]
        else ""
    )
    if facts.step < len(facts.steps):
        yield Coming(
            f"at the earliest the canary gets {facts.steps[facts.step]['weight']} %{missing}, if no harm is suspected",
            baked,
        )
        return
    unproven = (
        [metric.name for metric in look.metrics if metric.role == "critical" and not metric.proven_safe] if look else []
    )
    what = (
        f"when {' and '.join(unproven)} {'are' if len(unproven) > 1 else 'is'} proven comparable"
        if unproven
        else "when all is proven comparable"
    )
    left = (
        f" (about {look.remaining_s[0]:.0f} to {look.remaining_s[1]:.0f} s more if it is)"
        if look and look.remaining_s
        else ""
    )
    yield Coming(f"at the earliest promoted {what}{left}{missing}", baked)


def _silence(facts: Facts) -> Iterator[Coming]:
    look, rule = facts.newest, facts.spec.get("on_no_data") or {}
    if look is not None and look.verdict is Verdict.NO_DATA and rule:
        answer = "a person is asked" if rule.get("action") == "hold" else "it is taken back"
        yield Coming(f"telemetry stays away for {float(rule['after']):.0f} s: {answer}")


def _deadline(facts: Facts) -> Coming:
    choice = str(facts.spec.get("on_undecided"))
    answer = UNDECIDED.get("hold" if facts.held and choice == "promote" else choice, "the policy answers")
    return Coming(f"{answer}, if it is still undecided", deadline(facts))


def _observed(facts: Facts) -> Iterator[Coming]:
    given, release = facts.given, facts.release
    since = given.noted if given else release.created
    yield Coming(
        f"{release.stable} is removed, and {release.canary} can't be taken back any more", since + facts.warm_s
    )
