"""A release in a word and one sentence: what decided it, with its numbers; or what it waits for."""

from __future__ import annotations

from glidepath.judge import Verdict
from glidepath.release.phases import Decision, Phase
from glidepath.release.questions import TRAFFIC
from glidepath.status.facts import Facts
from glidepath.status.form import Banner, State, Tone
from glidepath.text import lines

ENDED = {
    Phase.PROMOTED: (State.PROMOTED, Tone.GOOD),
    Phase.ROLLED_BACK: (State.ROLLED_BACK, Tone.BAD),
    Phase.REFUSED: (State.REFUSED, Tone.CALM),
    Phase.DRY_RUN: (State.DRY_RUN, Tone.CALM),
    Phase.NOTHING_TO_DO: (State.NOTHING_TO_DO, Tone.CALM),
}
BEFORE = {
    Phase.PLANNED: "is planned, and nothing is touched yet",
    Phase.CLAIMED: "is being deployed",
    Phase.DEPLOYED: "is ready for its first requests",
}
# Reasons of a look for which no weight is added, as people say them.
KEPT = {
    "split_mismatch": "The canary does not get the share of requests that its weight says",
    "not_counted": "A critical metric counted nothing",
}


def banner(facts: Facts) -> Banner:
    """The banner of a release."""
    release = facts.release
    if release.outcome is not None:
        state, tone = ENDED[Phase(release.outcome)]
        return Banner(state, tone, _ended(facts, state))
    if facts.back is not None:
        return Banner(State.ROLLED_BACK, Tone.BAD, _proof(facts) or _sentence(facts.back.reason))
    if facts.committed or release.phase == Phase.PROMOTING:
        return Banner(State.ADVANCING, Tone.CALM, f"{release.canary} is being promoted. {_proof(facts)}".strip())
    if release.phase == Phase.OBSERVING:
        return Banner(State.OBSERVING, Tone.GOOD, _observing(facts))
    if facts.question is not None:
        return Banner(State.WAITING, Tone.WAITING, _question(facts))
    if kept := kept_by(facts):
        return Banner(State.HOLDING, Tone.CALM, _sentence(kept))
    return Banner(State.ADVANCING, Tone.CALM, _under_way(facts))


def kept_by(facts: Facts) -> str | None:
    """What keeps a release from the next weight for now, beyond time and numbers; None when nothing does."""
    look = facts.newest
    if facts.held is not None:
        return f"Held at {facts.given.weight if facts.given else 0} % by {facts.held.who}: {facts.held.why}"
    if look is None or facts.decision is not None:
        return None
    if look.verdict is Verdict.NO_DATA:
        return f"There is no telemetry, so nothing is judged: {look.reason}"
    if look.suspicious:
        return f"Harm is suspected and not proven: {lines.finding(lines.worst(look), harm=True)}"
    return KEPT.get(look.reason)


def _ended(facts: Facts, state: State) -> str:
    release, decision = facts.release, facts.decision
    if state is State.PROMOTED and decision is not None and decision.decision == Decision.PROMOTE:
        return _proof(facts) or _sentence(release.reason or "")
    if state is State.ROLLED_BACK:
        return _proof(facts) or _sentence(release.reason or "")
    return _sentence(release.reason or "")


def _proof(facts: Facts) -> str:
    """What the deciding look proved, first the metric; empty where no look decided."""
    look = facts.look
    decision = facts.decision
    if look is None or decision is None or look.verdict not in (Verdict.PASS, Verdict.FAIL):
        return ""
    at = f"at {look.weight} % after {look.canary_requests:,} requests to {facts.release.canary}"
    deciding = lines.deciding(look)
    if deciding is None:  # a canary that is silent
        return _sentence(f"{facts.release.canary} got no request through while {facts.release.stable} did, {at}")
    proven = "proven harmful" if look.verdict is Verdict.FAIL else "proven comparable"
    return _sentence(f"{lines.finding(deciding, harm=look.verdict is Verdict.FAIL)}; {proven} {at}")


def _question(facts: Facts) -> str:
    """What a person is asked, why, and what is not proven."""
    if facts.question is TRAFFIC:
        first = facts.steps[0]["weight"] if facts.steps else 0
        return f"Give {facts.release.canary} its first {first} % of the requests, or take it back? Its pods are ready, and it has none."
    decision, look = facts.decision, facts.look
    open_ = lines.deciding(look) if look is not None else None
    if decision is not None and decision.proven:
        return f"Promote {facts.release.canary}, or take it back? {_sentence(decision.reason)}"
    missing = f" Not proven: {_sentence(lines.finding(open_, harm=False))}" if open_ is not None else ""
    return f"Promote {facts.release.canary}, or take it back? {_sentence(decision.reason if decision else '')}{missing}"


def _under_way(facts: Facts) -> str:
    release, look = facts.release, facts.newest
    if not facts.step:
        doing = {
            Phase.PLANNED: "is planned; nothing is touched yet",
            Phase.CLAIMED: "is being deployed",
            Phase.DEPLOYED: "is ready for its first requests",
        }
        return f"{release.canary} {doing.get(Phase(release.phase), 'has no requests yet')}; {release.stable} has all requests."
    given = facts.given
    head = f"Step {facts.step} of {len(facts.steps)}: {release.canary} has {given.weight if given else 0} %"
    if look is None:
        return f"{head}; the first look is still to come."
    nearest = lines.deciding(look)
    missing = f"; furthest from proof is {lines.finding(nearest, harm=False)}" if nearest is not None else ""
    return f"{head}, and no harm shows{missing}."


def _observing(facts: Facts) -> str:
    release = facts.release
    return f"{release.canary} is promoted; {release.stable} stays warm and can have all requests back within seconds."


def _sentence(text: str) -> str:
    sentence = text.strip()
    return sentence if not sentence or sentence[-1] in ".?!" else f"{sentence}."
