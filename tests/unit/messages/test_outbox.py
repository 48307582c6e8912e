"""Each news once a channel; what fails is tried again so often, and is a line in the log and the journal."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from glidepath.messages.outbox import HOLD_S
from glidepath.policy.messages import ABOUT
from glidepath.status import status
from tests.support.bot import Bot
from tests.support.releases import DAG
from tests.unit.messages.sent import EVENTS, STATUS, Clock, box, channel, copied, noted


def test_machines_are_told_all_in_order_and_once(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    one = box(record, "promoted", channel(EVENTS), bot.url)
    assert one.deliver() is None
    assert one.over
    told = [body["type"] for body in bot.bodies()]
    assert told == [f"glidepath.dev.release.{about}" for about in ("begun", "step", "ended")]
    assert box(record, "promoted", channel(EVENTS), bot.url).deliver() is None
    assert len(bot.got) == 3


def test_people_are_told_the_newest_only_when_several_have_gathered(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    one = box(record, "promoted", channel(STATUS), bot.url)
    assert one.deliver() is None
    assert one.over
    assert [body["state"] for body in bot.bodies()] == ["success"]
    assert {(entry.news, entry.state) for entry in noted(record, "promoted")} == {
        ("weight-1", "passed"), ("weight-2", "passed"), ("ended", "begun"), ("ended", "sent"),
    }  # fmt: skip


def test_one_that_was_taken_back_is_told_once_to_people(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    assert box(record, "taken-back", channel(STATUS), bot.url).deliver() is None
    assert [entry.news for entry in noted(record, "taken-back") if entry.state == "sent"] == ["back"]
    assert [body["state"] for body in bot.bodies()] == ["failure"]


def test_only_what_a_channel_asks_for_is_told(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    assert box(record, "promoted", channel(EVENTS, about=["ended"]), bot.url).deliver() is None
    assert [body["type"] for body in bot.bodies()] == ["glidepath.dev.release.ended"]


def test_what_fails_is_tried_again_later_and_later_and_then_given_up(played: str, tmp_path: Path, bot: Bot) -> None:
    record, clock = copied(played, tmp_path), Clock()
    said: list[str] = []
    bot.answers = [500]
    one = box(record, "promoted", channel(EVENTS, about=["ended"], tries=3), bot.url, clock, said.append)
    assert one.deliver() == clock.at + 2
    assert one.deliver() == clock.at + 2
    assert len(bot.got) == 1
    clock.at += 2
    assert one.deliver() == clock.at + 8
    clock.at += 8
    assert one.deliver() is None
    assert one.over
    assert len(bot.got) == 3
    assert [entry.final for entry in noted(record, "promoted") if entry.state == "failed"] == [False, False, True]
    assert len(said) == 3
    assert "try 3 of 3 failed" in said[-1]
    assert "answered 500" in said[-1]
    timeline = [one.text for one in status(record, f"{DAG}/manual__promoted+00:00", clock.at).timeline]
    assert [text for text in timeline if text.startswith("message to cloudevents-1 about ended: given up")]


def test_what_is_refused_is_not_tried_again(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    bot.answers = [403]
    one = box(record, "promoted", channel(EVENTS, about=["ended"]), bot.url)
    assert one.deliver() is None
    assert len(bot.got) == 1
    assert noted(record, "promoted")[-1].final


def test_one_that_works_at_its_second_try_has_worked(played: str, tmp_path: Path, bot: Bot) -> None:
    record, clock = copied(played, tmp_path), Clock()
    bot.answers = [503, 200]
    one = box(record, "promoted", channel(EVENTS), bot.url, clock)
    due = one.deliver()
    assert due is not None
    clock.at = due
    assert one.deliver() is None
    assert [body["type"].rpartition(".")[2] for body in bot.bodies()] == ["begun", "begun", "step", "ended"]


@pytest.mark.parametrize("answer", ["hangs", "trickles"])
def test_one_that_never_answers_costs_its_time_out_and_no_more(
    played: str, tmp_path: Path, bot: Bot, answer: str
) -> None:
    record = copied(played, tmp_path)
    bot.answers = [answer]
    asked = channel(EVENTS, about=["ended"], timeout=0.3, tries=1)
    began = time.monotonic()
    assert box(record, "promoted", asked, bot.url).deliver() is None
    assert time.monotonic() - began < 6
    assert "did not answer within 0.3 s" in noted(record, "promoted")[-1].why


def test_no_secret_is_told(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    said: list[str] = []
    bot.answers, bot.says = [401], b"no: Bearer planted-token"
    box(
        record, "promoted", channel(EVENTS, about=["ended"]), f"{bot.url}/hook?sig=planted-token", say=said.append
    ).deliver()
    assert said
    assert "planted" not in said[0] + noted(record, "promoted")[-1].why


def test_of_two_processes_one_sends(played: str, tmp_path: Path, bot: Bot) -> None:
    record = copied(played, tmp_path)
    bot.answers = [0.3]
    boxes = [box(record, "promoted", channel(EVENTS, about=["ended"]), bot.url) for _ in range(4)]
    threads = [threading.Thread(target=one.deliver) for one in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bot.got) == 1
    assert [entry.state for entry in noted(record, "promoted")] == ["begun", "sent"]


def test_one_that_died_while_it_sent_is_made_up_for_after_a_while_with_the_same_id(
    played: str, tmp_path: Path, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, clock = copied(played, tmp_path), Clock()
    one = box(record, "promoted", channel(EVENTS, about=["ended"]), bot.url, clock)
    sends = one.carrier.send

    def dies(*given: object) -> str:
        sends(*given)  # type: ignore[arg-type]
        raise SystemExit

    monkeypatch.setattr(one.carrier, "send", dies)
    with pytest.raises(SystemExit):
        one.deliver()
    another = box(record, "promoted", channel(EVENTS, about=["ended"]), bot.url, clock)
    assert another.deliver() == pytest.approx(clock.at + HOLD_S)
    assert not another.over
    clock.at += HOLD_S
    assert another.deliver() is None
    assert another.over
    assert len({body["id"] for body in bot.bodies()}) == 1
    assert len(bot.got) == 2


def test_a_fault_of_the_carriers_own_is_a_message_that_was_not_sent(
    played: str, tmp_path: Path, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = copied(played, tmp_path)
    one = box(record, "promoted", channel(EVENTS, about=["ended"]), bot.url)
    monkeypatch.setattr(one.carrier, "send", lambda *_: 1 / 0)
    assert one.deliver() is None
    assert noted(record, "promoted")[-1].why == "division by zero"


def test_every_name_in_the_journal_fits_its_column() -> None:
    longest = max(len(f"message:cloudevents-8:{key}-99:5:failed") for key in ("weight", "observing", *ABOUT))
    assert longest <= 80
