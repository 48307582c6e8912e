"""What happened in a release, a line each: weights, words, people, faults, and looks that changed something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch

from glidepath.judge import Look, Verdict
from glidepath.release import events, people
from glidepath.release.entry import Entry
from glidepath.release.phases import Decision
from glidepath.release.questions import TRAFFIC
from glidepath.status.form import Moment, Tone
from glidepath.text import lines

DECIDED = {Decision.PROMOTE: Tone.GOOD, Decision.ROLLBACK: Tone.BAD, Decision.ASK: Tone.WAITING}


def timeline(entries: Iterable[Entry]) -> list[Moment]:
    """The journal's part of the timeline, in order; what says nothing to people is left out."""
    moments = []
    for entry in entries:
        text = _told(entry)
        if text:
            moments.append(Moment(entry.noted, entry.kind, text, _tone(entry)))
    return moments


def turning(looks: Iterable[tuple[int, Look]], before: Look | None) -> Iterator[Moment]:
    """The looks that changed the verdict or the suspicion."""
    was = before
    for seq, look in looks:
        if was is None or (look.verdict, look.suspicious) != (was.verdict, was.suspicious):
            tone = {Verdict.PASS: Tone.GOOD, Verdict.FAIL: Tone.BAD}.get(look.verdict, Tone.CALM)
            yield Moment(look.at, "look", lines.look_line(look, f"look {seq}"), tone)
        was = look


def _tone(entry: Entry) -> Tone:
    if isinstance(entry, events.Decided):
        return DECIDED.get(Decision(entry.decision), Tone.CALM)
    if isinstance(entry, events.TakenBack | events.Braked | events.Drifted | events.TaskFailed | events.HarmProven):
        return Tone.BAD
    if isinstance(entry, people.Asked | people.Questioned | people.Answered):
        return Tone.WAITING
    if isinstance(entry, events.HandedOver):
        return Tone.BAD if entry.state == "failed" else Tone.CALM
    return Tone.GOOD if isinstance(entry, events.Committed) else Tone.CALM


@singledispatch
def _told(_: Entry) -> str:
    """An entry as a line; empty for what is there for the machine only."""
    return ""


@_told.register
def _(entry: events.Claimed) -> str:
    return f"service claimed with token {entry.token}; the lease is {entry.lease_s:.0f} s"


@_told.register
def _(entry: events.Deployed) -> str:
    return f"pods ready after {entry.seconds:.0f} s, without requests"


@_told.register
def _(entry: events.WeightGiven) -> str:
    at = "for the observation" if entry.window else f"for step {entry.step}"
    return f"weight {entry.weight} % {at}" + (
        f", written and read back in {entry.seconds:.1f} s" if entry.seconds is not None else ""
    )


@_told.register
def _(entry: events.Drifted) -> str:
    return f"changed by somebody else: {entry.what}"


@_told.register
def _(entry: people.Asked) -> str:
    return f"{entry.who} asks: {entry.what}: {entry.why}"


@_told.register
def _(entry: people.Questioned) -> str:
    whom = " or ".join(entry.by) or "a person"
    what = "gets its first requests" if entry.about == TRAFFIC.about else "is promoted"
    return f"Airflow asks {whom} whether the canary {what}; unanswered it ends in {entry.unanswered}"


@_told.register
def _(entry: people.Answered) -> str:
    return f"answered in Airflow by {entry.who}: {entry.answer}" if entry.who else f"nobody answered: {entry.answer}"


@_told.register
def _(entry: events.Decided) -> str:
    return f"step {entry.step}: {entry.decision}: {entry.reason}"


@_told.register
def _(entry: events.ObservationOver) -> str:
    return f"observation over: {entry.reason}"


@_told.register
def _(entry: events.TakenBack) -> str:
    return f"goes back: {entry.reason}"


@_told.register
def _(_one: events.Committed) -> str:
    return "committed: the new version is the safe side from here on"


@_told.register
def _(entry: events.Braked) -> str:
    return f"brake: all requests on the stable version, read back after {entry.seconds:.2f} s"


@_told.register
def _(entry: events.Silent) -> str:
    return f"{entry.version} gets no more requests, seen after {entry.waited_s:.0f} s"


@_told.register
def _(entry: events.LastSeen) -> str:
    states = (
        f"{pod['name']} {container['name']} {container['state']}"
        for pod in entry.pods
        for container in pod["containers"]
    )
    return f"last seen of {entry.version}: {'; '.join(states) or entry.missing}"


@_told.register
def _(entry: events.TaskFailed) -> str:
    return f"task {entry.task} failed: {entry.why}"


@_told.register
def _(entry: events.HandedOver) -> str:
    detail = entry.why or entry.answer
    return f"handover of the {entry.phase}: {entry.state}" + (f": {detail}" if detail else "")


@_told.register
def _(entry: people.Messaged) -> str:
    what = "given up" if entry.final else "failed, tried again"
    return f"message to {entry.channel} about {entry.news}: {what}: {entry.why}" if entry.state == "failed" else ""


@_told.register
def _(entry: events.Resolution) -> str:
    return f"judged at the {len(entry.common)} latency edges that both versions have, of {entry.planned}"


@_told.register
def _(_one: events.Finished) -> str:
    return "the service is let go"


@_told.register
def _(entry: events.Swept) -> str:
    return f"what was left over was removed; {entry.safe} has everything"


@_told.register
def _(entry: events.Closed) -> str:
    return f"ended {entry.outcome}: {entry.reason}"
