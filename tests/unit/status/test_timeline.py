"""Every kind of entry is told to people, or left out on purpose."""

from __future__ import annotations

from glidepath.release import events, people
from glidepath.status.form import Tone
from glidepath.status.timeline import timeline

FOR_THE_MACHINE = {events.Entered, events.Replicas, events.Pods, events.HelmUpgrade, events.Watching, events.HarmProven}
EXAMPLES: list[events.Entry] = [
    events.Claimed(3, 30.0), events.Deployed(12.0), events.WeightGiven(1, 20, 0.1), events.WeightGiven(3, 95, None, True),
    people.Asked("hold", "ops", "lunch"), events.Drifted("weights edited by kubectl", 1), events.Decided(1, "advance", "fine"), events.ObservationOver(3, "promote", "over"),
    events.TakenBack("harm"), events.Committed(), events.Braked(1.0, 0.02, "harm"), events.Silent("v2", 3.0),
    people.Questioned(1.0, "rollback", ["ann"]), people.Answered("promote", "ann"),
    events.LastSeen("v2", [{"name": "prices-v2-a", "containers": [{"name": "app", "state": "running"}]}]),
    events.TaskFailed("deploy", "no pods"), events.HandedOver("promote", "failed", why="refused"), events.Resolution(9, [0.1]),
    people.Messaged("slack-1", "weight-1", 1, "failed", "answered 500"), events.Finished("promoted"), events.Swept("v1"), events.Closed("promoted", "proven"),
]  # fmt: skip


def test_every_kind_is_told_or_is_for_the_machine() -> None:
    assert {type(one) for one in EXAMPLES} | FOR_THE_MACHINE == set(events.KINDS)
    assert len(timeline(EXAMPLES)) == len(EXAMPLES)
    machine = [
        events.Entered("baking"),
        people.Messaged("slack-1", "ended", 1, "sent"),
        events.Watching(),
        events.HarmProven("harm_proven", "errors", 1.0),
    ]
    assert timeline(machine) == []


def test_it_tells_who_did_what_with_its_numbers() -> None:
    told = {one.kind: one.text for one in timeline(EXAMPLES)}
    assert told["brake"] == "brake: all requests on the stable version, read back after 0.02 s"
    assert told["drift"] == "changed by somebody else: weights edited by kubectl"
    assert told["handover"] == "handover of the promote: failed: refused"


def test_what_goes_wrong_is_bad_and_what_goes_on_is_calm() -> None:
    tones = {one.kind: one.tone for one in timeline(EXAMPLES)}
    assert tones["taken_back"] == tones["failed"] == tones["handover"] == Tone.BAD
    assert tones["decision"] == tones["claim"] == Tone.CALM
    assert timeline([events.Decided(1, "ask", "in doubt")])[0].tone == Tone.WAITING
