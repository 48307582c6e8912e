"""How releases stand: each state with its sentence, what comes next, and numbers that agree with the record."""

from __future__ import annotations

import json

import pytest

from glidepath.errors import NoReleaseError
from glidepath.judge import Look
from glidepath.record import Record
from glidepath.release.questions import TRAFFIC
from glidepath.status import listed, mark, status
from tests.support.guards import ticks
from tests.support.releases import DAG, undecided
from tests.support.stage import Stage
from tests.unit.status.conftest import NOW, Told

STATES = {
    "promoted": ("PROMOTED", "good"),
    "taken-back": ("ROLLED BACK", "bad"),
    "waiting": ("WAITING FOR YOU", "waiting"),
    "undecided": ("ADVANCING", "calm"),
    "blind": ("HOLDING", "calm"),
    "observed": ("OBSERVING", "good"),
    "gated": ("WAITING FOR YOU", "waiting"),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_has_its_word_in_the_page_and_in_the_list(told: Told, name: str) -> None:
    assert (told.of(name).banner.state, told.of(name).banner.tone) == STATES[name]
    assert told.states()[name] == STATES[name][0]


def test_what_was_taken_back_for_harm_names_metric_effect_interval_and_limit(told: Told) -> None:
    assert told.of("taken-back").banner.sentence == (
        "errors +39.75 points in [+20.22, ...], harm beyond +0.05 points; proven harmful at 20 % after 300 requests to v2."
    )


def test_what_was_promoted_tells_the_look_that_decided_not_the_last_one(told: Told) -> None:
    found = told.of("promoted")
    assert found.banner.sentence == (
        "errors -1.20 points in [..., +0.14], comparable below +0.20 points; proven comparable at 50 % after 1,400 requests to v2."
    )
    assert found.look is not None
    assert (found.look.seq, found.look.verdict, found.look.decided) == (8, "PASS", True)
    assert found.series.seq[-1] > 8


def test_before_its_first_requests_it_says_what_is_asked_and_what_comes_unanswered(told: Told) -> None:
    found = told.of("gated")
    assert (
        found.banner.sentence
        == "Give v2 its first 20 % of the requests, or take it back? Its pods are ready, and it has none."
    )
    assert found.question == TRAFFIC
    assert found.actions == ["approve", "reject"]
    [answer] = found.coming
    assert answer.what == "taken back, if nobody answers"
    assert found.deadline is not None
    assert found.deadline > (answer.at or 0)


def test_without_telemetry_it_says_so_and_blames_nobody(told: Told) -> None:
    assert told.of("blind").banner.sentence == "There is no telemetry, so nothing is judged: Prometheus is away."


def test_what_comes_next_names_the_weight_or_the_deadline_and_nothing_comes_after_the_end(told: Told) -> None:
    assert told.of("promoted").coming == told.of("taken-back").coming == []
    [answer] = told.of("waiting").coming
    assert answer.what == "taken back, if nobody answers"
    asked = next(one for one in told.of("waiting").timeline if one.kind == "decision")
    assert answer.at == asked.at + 3600
    [gone] = told.of("observed").coming
    assert gone.at == told.of("observed").weights[-1].at + 600


def test_a_step_says_what_it_still_waits_for_and_until_when(stage: Stage) -> None:
    told = undecided(stage, weights=[20, 50], bake="5m")
    found = status(stage.record, told.run.id, stage.clock)
    given, plan = found.weights[-1], told.run.release
    assert [(one.what, one.at) for one in found.coming] == [
        ("at the earliest the canary gets 50 %, if no harm is suspected", given.at + 300),
        ("taken back, if it is still undecided", plan.created + 1200),
    ]
    assert found.deadline == plan.created + 1200


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("promoted", []), ("taken-back", []), ("undecided", ["hold", "take-back"]), ("blind", ["hold", "take-back"]),
        ("waiting", ["approve", "reject"]), ("observed", ["take-back", "commit"]),
    ],
)  # fmt: skip
def test_a_person_may_ask_what_can_still_be_done(told: Told, name: str, may: list[str]) -> None:
    found = told.of(name)
    assert found.actions == may
    assert bool(found.take_back) == bool(may)


def test_exposure_is_what_the_intervals_counted_and_the_split_that_of_the_weight_in_force(told: Told) -> None:
    found = told.of("taken-back")
    stable, canary = found.exposure
    counted = [interval for _, interval, _ in told.record.looks(found.identity.id) if interval]
    assert canary.requests == sum(one["canary"]["requests"] for one in counted)
    assert canary.errors == sum(one["canary"]["errors"] for one in counted) == 120
    assert (stable.wanted, canary.wanted, canary.observed) == (80, 20, 20)
    assert (told.of("observed").exposure[1].wanted, told.of("observed").exposure[1].observed) == (95, 95)


def test_the_weights_end_with_what_the_brake_or_the_promotion_gave(told: Told) -> None:
    assert [one.weight for one in told.of("taken-back").weights] == [20, 0]
    assert [one.weight for one in told.of("promoted").weights] == [20, 50, 100]
    assert [one.weight for one in told.of("observed").weights] == [20, 50, 95]


def test_in_the_observation_the_newest_look_is_shown_not_the_one_that_promoted(told: Told) -> None:
    found = told.of("observed")
    assert found.look is not None
    assert (found.look.seq, found.look.decided) == (found.series.seq[-1], False)


def test_a_metric_says_its_answer_its_numbers_and_the_query_to_see_it_by(told: Told) -> None:
    errors = next(one for one in told.of("taken-back").metrics if one.name == "errors")
    assert errors.answer == "harmful"
    assert errors.query.startswith('sum by (version) (rate(app_predictions_total{namespace="shop"')
    assert 'status=~"error"' in errors.query.split(" / ")[0]
    assert 'status=~"error"' not in errors.query.split(" / ")[1]
    latency = next(one for one in told.of("promoted").metrics if one.name == "latency_p95")
    assert latency.query.startswith(
        "histogram_quantile(0.95, sum by (version, le) (rate(app_prediction_latency_seconds_bucket{"
    )


def test_who_has_looks_already_asks_for_the_rest(told: Told) -> None:
    whole, rest = told.of("promoted").series, told.of("promoted", after=100).series
    assert rest.after == 100
    assert rest.seq == [seq for seq in whole.seq if seq > 100]
    assert rest.moments == [], "look 101 is like look 100"
    assert told.of("promoted", after=whole.seq[-1]).series.seq == []


def test_the_mark_changes_with_a_look_and_with_an_entry_and_with_nothing_else(stage: Stage) -> None:
    told = undecided(stage)
    was = mark(stage.record, told.run.id)
    assert mark(stage.record, told.run.id) == was
    ticks(stage, told.guard, 1)
    then = mark(stage.record, told.run.id)
    assert then != was
    told.guard._show_life()
    assert mark(stage.record, told.run.id) != then
    assert mark(stage.record, "nobody/knows") is None


def test_a_release_that_is_not_there_is_said(told: Told) -> None:
    with pytest.raises(NoReleaseError, match="no release 'nobody/knows'"):
        status(told.record, "nobody/knows", NOW)


def test_the_list_has_who_asks_may_see_and_no_more_than_is_asked_for(played: Record) -> None:
    assert len(listed(played)) == len(STATES)
    assert len(listed(played, limit=2)) == 2
    assert listed(played, limit=0) == []
    assert listed(played, may=lambda dag: dag != DAG) == []
    assert listed(played, service="another") == []
    newest = [row.started for row in listed(played)]
    assert newest == sorted(newest, reverse=True)


def test_a_release_of_another_code_version_is_shown_without_queries(stage: Stage) -> None:
    told = undecided(stage)
    spec = {**told.run.release.spec, "helm": {"what": "this code does not know"}}
    from sqlalchemy import update

    from glidepath.record.tables import releases

    with stage.record.reading() as connection:
        connection.execute(update(releases).values(spec=spec))
    found = status(stage.record, told.run.id, stage.clock)
    assert {one.query for one in found.metrics} == {""}
    assert found.identity.steps == 2


@pytest.mark.parametrize("name", STATES)
def test_all_of_it_is_json_and_every_look_that_is_told_is_in_the_record(told: Told, name: str) -> None:
    found = told.of(name)
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["banner"]["state"] == found.banner.state
    looks = {seq: Look.from_dict(look) for seq, _, look in told.record.looks(found.identity.id)}
    for place, seq in enumerate(found.series.seq):
        for metric, track in found.series.metrics.items():
            recorded = next(one for one in looks[seq].metrics if one.name == metric).effect
            shown = track.effect[place]
            assert (shown is None) == (recorded is None)
            assert shown is None or recorded is None or shown == pytest.approx(recorded, rel=1e-3)
