"""What happened in a release, a line each: weights, words, people, faults, and looks that changed something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch

from glidepath.judge import Look, Verdict
from glidepath.release import events, people, words
from glidepath.release.entry import Entry
from glidepath.release.phases import Decision
from glidepath.status.form import Moment, Tone

DECIDED = {Decision.PROMOTE: Tone.GOOD, Decision.ROLLBACK: Tone.BAD, Decision.ASK: Tone.WAITING}


def timeline(entries: Iterable[Entry]) -> list[Moment]:
    """The journal's part of the timeline, in order; what says nothing to people is left out."""
    found = []
    for one in entries:
        text = _told(one)
        if text:
            found.append(Moment(one.noted, one.kind, text, _tone(one)))
    return found


def turning(looks: Iterable[tuple[int, Look]], before: Look | None) -> Iterator[Moment]:
    """The looks that changed the verdict or the suspicion."""
    was = before
    for seq, look in looks:
        if was is None or (look.verdict, look.suspicious) != (was.verdict, was.suspicious):
            tone = {Verdict.PASS: Tone.GOOD, Verdict.FAIL: Tone.BAD}.get(look.verdict, Tone.CALM)
            yield Moment(look.at, "look", words.look_line(look, f"look {seq}"), tone)
        was = look


def _tone(one: Entry) -> Tone:
    if isinstance(one, events.Decided):
        return DECIDED.get(Decision(one.decision), Tone.CALM)
    if isinstance(one, events.TakenBack | events.Braked | events.Drifted | events.TaskFailed | events.HarmProven):
        return Tone.BAD
    if isinstance(one, people.Asked | people.Questioned | people.Answered):
        return Tone.WAITING
    if isinstance(one, events.HandedOver):
        return Tone.BAD if one.state == "failed" else Tone.CALM
    return Tone.GOOD if isinstance(one, events.Committed) else Tone.CALM


@singledispatch
def _told(_: Entry) -> str:
    """An entry as a line; empty for what is there for the machine only."""
    return ""


@_told.register
def _(one: events.Claimed) -> str:
    return f"service claimed with token {one.token}; the lease is {one.lease_s:.0f} s"


@_told.register
def _(one: events.Deployed) -> str:
    return f"pods ready after {one.seconds:.0f} s, without requests"


@_told.register
def _(one: events.WeightGiven) -> str:
    at = "for the observation" if one.window else f"for step {one.step}"
    return f"weight {one.weight} % {at}" + (
        f", written and read back in {one.seconds:.1f} s" if one.seconds is not None else ""
    )


@_told.register
def _(one: events.Drifted) -> str:
    return f"changed by somebody else: {one.what}"


@_told.register
def _(one: people.Asked) -> str:
    return f"{one.who} asks: {one.what}: {one.why}"


@_told.register
def _(one: people.Questioned) -> str:
    by = f" of {', '.join(one.by)}" if one.by else ""
    return f"Airflow asks a person{by}; unanswered it ends in {one.unanswered}"


@_told.register
def _(one: people.Answered) -> str:
    return f"answered in Airflow by {one.who}: {one.answer}" if one.who else f"nobody answered: {one.answer}"


@_told.register
def _(one: events.Decided) -> str:
    return f"step {one.step}: {one.decision}: {one.reason}"


@_told.register
def _(one: events.ObservationOver) -> str:
    return f"observation over: {one.reason}"


@_told.register
def _(one: events.TakenBack) -> str:
    return f"goes back: {one.reason}"


@_told.register
def _(_one: events.Committed) -> str:
    return "committed: the new version is the safe side from here on"


@_told.register
def _(one: events.Braked) -> str:
    return f"brake: all requests on the stable version, read back after {one.seconds:.2f} s"


@_told.register
def _(one: events.Silent) -> str:
    return f"{one.version} gets no more requests, seen after {one.waited_s:.0f} s"


@_told.register
def _(one: events.LastSeen) -> str:
    states = (
        f"{pod['name']} {container['name']} {container['state']}" for pod in one.pods for container in pod["containers"]
    )
    return f"last seen of {one.version}: {'; '.join(states) or one.missing}"


@_told.register
def _(one: events.TaskFailed) -> str:
    return f"task {one.task} failed: {one.why}"


@_told.register
def _(one: events.HandedOver) -> str:
    detail = one.why or one.answer
    return f"handover of the {one.phase}: {one.state}" + (f": {detail}" if detail else "")


@_told.register
def _(one: people.Messaged) -> str:
    what = "given up" if one.final else "failed, tried again"
    return f"message to {one.channel} about {one.news}: {what}: {one.why}" if one.state == "failed" else ""


@_told.register
def _(one: events.Resolution) -> str:
    return f"judged at the {len(one.common)} latency edges that both versions have, of {one.planned}"


@_told.register
def _(_one: events.Finished) -> str:
    return "the service is let go"


@_told.register
def _(one: events.Swept) -> str:
    return f"what was left over was removed; {one.safe} has everything"


@_told.register
def _(one: events.Closed) -> str:
    return f"ended {one.outcome}: {one.reason}"
