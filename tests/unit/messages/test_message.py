"""What a message says: the verdict first, its numbers, weights now, who must act by when, links."""

from __future__ import annotations

import pytest

from glidepath.messages.message import Message, message
from glidepath.messages.news import for_people, news
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.status import status
from tests.support.releases import DAG
from tests.unit.messages.sent import NOW


def told(played: str, name: str, mention: str = "@oncall") -> Message:
    """The newest message of a release."""
    record, identity = Record(played), f"{DAG}/manual__{name}+00:00"
    last = for_people(list(news(Journal(record, identity).entries())))[-1]
    return message(status(record, identity, NOW), last, "https://airflow.example/r", mention)


@pytest.mark.parametrize(
    ("name", "title", "about", "now"),
    [
        ("promoted", "PROMOTED: prices v1 -> v2 in shop", "ended", "v2 100 %, v1 0 %"),
        ("taken-back", "ROLLED BACK: prices v1 -> v2 in shop", "back", "v2 0 %, v1 100 %"),
        ("waiting", "WAITING FOR YOU: prices v1 -> v2 in shop", "asks", "v2 20 %, v1 80 %"),
        ("observed", "OBSERVING: prices v1 -> v2 in shop", "observing", "v2 95 %, v1 5 %"),
    ],
)
def test_it_begins_with_the_verdict_and_says_what_traffic_is_where(
    played: str, name: str, title: str, about: str, now: str
) -> None:
    found = told(played, name)
    assert (found.title, found.news.about) == (title, about)
    assert any(line.startswith(f"Traffic now: {now}") for line in found.lines)
    assert "Release: https://airflow.example/r" in found.lines


def test_the_metric_that_decided_comes_with_its_numbers(played: str) -> None:
    assert told(played, "taken-back").lines[0].startswith("errors +")
    assert "proven harmful at 20 %" in told(played, "taken-back").lines[0]
    assert "proven comparable at 50 %" in told(played, "promoted").lines[0]


def test_it_says_who_must_act_by_when_and_calls_them_only_then(played: str) -> None:
    asked = told(played, "waiting")
    act = next(line for line in asked.lines if line.startswith("Somebody must approve or reject"))
    assert "at 2027-" in act
    assert asked.mention == "@oncall"
    assert told(played, "promoted").mention == ""
    assert any(line.startswith("Nobody needs to act.") for line in told(played, "observed").lines)


def test_machines_get_the_same_as_fields(played: str) -> None:
    found = told(played, "taken-back")
    assert found.data["state"] == "ROLLED BACK"
    assert found.data["weight"] == 0
    assert found.data["metrics"][0]["name"] == "errors"
    assert found.fields["status"] == "failure"
    assert len(found.fields["sentence"]) <= 140
