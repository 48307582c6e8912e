"""What is told of a release that `plan` refuses: one message, tried again while that may help and there is time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from glidepath.errors import MessageError
from glidepath.messages.carriers import carrier
from glidepath.messages.mail import Mail
from glidepath.messages.message import Message
from glidepath.messages.port import Carrier
from glidepath.messages.refusal import MOST_REASON, refusal, send
from glidepath.policy import Policy
from glidepath.policy.load import parse_policy
from glidepath.policy.messages import FIELDS
from glidepath.status.form import Tone
from tests.support.bot import Bot
from tests.support.stage import POLICY
from tests.unit.messages.sent import EVENTS, SECRET, SLACK, STATUS, channel, nobody


@pytest.fixture
def policy() -> Policy:
    return parse_policy(POLICY, "policy.yaml", Path())


def told(policy: Policy, why: str = "no version v9", version: str = "v9") -> Message:
    """The message of a refusal."""
    return refusal(policy, version, "dag/run", why, "https://airflow.example/run", 1_800_000_000.0)


def test_the_verdict_is_first_and_then_the_reason(policy: Policy) -> None:
    found = told(policy)
    assert found.title == f"REFUSED: {policy.service} v9 in {policy.namespace}"
    assert found.lines == ("no version v9", "Nothing was touched", "Run: https://airflow.example/run")
    assert (found.mention, found.tone) == ("", Tone.CALM)


def test_what_is_said_already_is_not_said_again_and_a_long_reason_is_cut(policy: Policy) -> None:
    assert told(policy, "held by another; nothing was touched").lines[1].startswith("Run: ")
    assert len(told(policy, "x" * 5000).lines[0]) < MOST_REASON + 10


def test_a_plan_that_is_cleared_and_refused_again_is_another_message(policy: Policy) -> None:
    """Who drops what comes twice would drop the second reason."""
    first, second = (refusal(policy, "v9", "dag/run", "why", "", 1_800_000_000.0 + at) for at in (0, 60))
    assert first.news.key != second.news.key


def test_a_template_finds_all_its_fields_and_the_commit_fails(policy: Policy) -> None:
    found = told(policy, "y" * 500)
    assert set(found.fields) == set(FIELDS)
    assert found.fields["status"] == "failure"
    assert len(found.fields["sentence"]) == 140


def test_whatever_was_asked_for_as_a_version_fits_a_mails_subject(policy: Policy) -> None:
    found = told(policy, version="v9\r\nBcc: all@example.com" + "9" * 5000)
    asked = channel({"to": "email", "connection": "mail", "sender": "a@example.com", "addresses": ["b@example.com"]})
    mail = Mail(asked, nobody).written(found)
    assert mail["Subject"].startswith(f"REFUSED: {policy.service} v9 Bcc: all")
    assert mail["Bcc"] is None
    assert max(len(mail["Subject"]), len(found.title)) < 200


def test_credentials_in_a_reason_are_hidden(policy: Policy) -> None:
    found = told(policy, "GET https://ann:hunter2222@prometheus.example failed\nAuthorization: Bearer abc.def")
    assert "hunter2222" not in str(found)
    assert "abc.def" not in str(found)


@pytest.mark.parametrize("said", [SLACK, EVENTS, STATUS, {"to": "teams", "connection": "teams"}])
def test_every_kind_of_channel_carries_it(policy: Policy, bot: Bot, said: dict[str, Any]) -> None:
    bot.says = b'{"ok": true, "ts": "1"}'
    asked = channel(said)
    assert send(carrier(asked, lambda: (bot.url, SECRET), nobody), told(policy), 1, time.monotonic() + 5) == ""
    assert ("failure" if said is STATUS else "REFUSED") in str(bot.bodies())


class Mended(Carrier):
    """Takes a message after so many failures."""

    def __init__(self, failures: int, may_pass: bool = True) -> None:
        self.failures, self.may_pass, self.asked = failures, may_pass, 0

    def send(self, message: Message, thread: str) -> str:
        self.asked += 1
        if self.asked <= self.failures:
            raise MessageError("away", self.may_pass)
        return thread


@pytest.mark.parametrize(
    ("failures", "may_pass", "left_s", "asked", "wrong"),
    [
        (2, True, 60, 3, ""),
        (9, True, 60, 4, "try 4 of 4 failed: away"),
        (9, False, 60, 1, "try 1 of 4 failed: away"),
        (9, True, 0, 1, "try 1 of 4 failed: away"),
    ],
)
def test_it_is_tried_again_while_that_may_help_and_there_is_time(
    policy: Policy, failures: int, may_pass: bool, left_s: float, asked: int, wrong: str
) -> None:
    to = Mended(failures, may_pass)
    assert send(to, told(policy), 4, time.monotonic() + left_s, pause_s=0.001) == wrong
    assert to.asked == asked
