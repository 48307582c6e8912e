"""What each carrier puts on the wire, on real sockets."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from glidepath.errors import MessageError
from glidepath.messages.carriers import carrier
from glidepath.messages.mail import Mail, Server
from glidepath.messages.message import Message, message
from glidepath.messages.news import news
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.status import status
from tests.support.bot import Bot
from tests.support.releases import DAG
from tests.unit.messages.sent import EVENTS, NOW, SECRET, SLACK, STATUS, channel, nobody

LINK = "https://airflow.example/r"


@pytest.fixture(scope="module")
def told(played: str) -> list[Message]:
    """All messages of a release that was taken back."""
    record, identity = Record(played), f"{DAG}/manual__taken-back+00:00"
    stands = status(record, identity, NOW)
    return [message(stands, one, LINK, "<!here>") for one in news(Journal(record, identity).entries())]


def sent(bot: Bot, said: dict[str, Any], one: Message, thread: str = "", path: str = "") -> str:
    """The thread that a carrier gives after one message."""
    return carrier(channel(said), lambda: (f"{bot.url}{path}", SECRET), nobody).send(one, thread)


def test_slack_has_one_thread_a_release_and_is_told_aloud_what_matters(bot: Bot, told: list[Message]) -> None:
    bot.says = json.dumps({"ok": True, "ts": "1700000000.000100", "message": {"text": "x" * 9000}}).encode()
    thread = sent(bot, SLACK, told[0], path="/api")
    assert thread == "1700000000.000100"
    assert sent(bot, SLACK, told[1], thread, path="/api") == thread
    (path, headers, first), (_, _, second) = bot.got
    assert (path, headers["authorization"]) == ("/api/chat.postMessage", SECRET["Authorization"])
    assert "thread_ts" not in first
    assert (second["thread_ts"], second["reply_broadcast"]) == (thread, True)
    assert second["text"].startswith("*ROLLED BACK: prices v1 -&gt; v2 in shop*\nerrors +")


@pytest.mark.parametrize(("error", "may_pass"), [("ratelimited", True), ("invalid_auth", False)])
def test_slack_refuses_with_200(bot: Bot, told: list[Message], error: str, may_pass: bool) -> None:
    bot.says = json.dumps({"ok": False, "error": error}).encode()
    with pytest.raises(MessageError, match=f"Slack refused: {error}") as caught:
        sent(bot, SLACK, told[0])
    assert caught.value.may_pass == may_pass


def test_what_is_no_slack_is_an_error(bot: Bot, told: list[Message]) -> None:
    with pytest.raises(MessageError, match="no JSON"):
        sent(bot, SLACK, told[0])


def test_teams_gets_a_card_with_the_verdict_and_a_link(bot: Bot, told: list[Message]) -> None:
    sent(bot, {"to": "teams", "connection": "teams"}, told[-1])
    [attached] = bot.bodies()[0]["attachments"]
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    head, *rest = attached["content"]["body"]
    assert (head["text"], head["color"]) == ("ROLLED BACK: prices v1 -> v2 in shop", "Attention")
    assert any(one["text"].startswith("Traffic now: v2 0 %") for one in rest)
    assert attached["content"]["actions"] == [{"type": "Action.OpenUrl", "title": "Open the release", "url": LINK}]


def test_a_cloud_event_has_what_the_specification_asks_for(bot: Bot, told: list[Message]) -> None:
    sent(bot, {**EVENTS, "path": "/events"}, told[-1])
    [(path, headers, event)] = bot.got
    assert path == "/events"
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert event["specversion"] == "1.0"
    assert event["id"] == f"{DAG}/manual__taken-back+00:00:ended"
    assert (event["source"], event["type"]) == ("/glidepath.dev/shop/prices", "glidepath.dev.release.ended")
    assert event["time"].endswith("+00:00")
    assert event["data"]["weight"] == 0


def test_a_commits_status_is_a_template(bot: Bot, told: list[Message]) -> None:
    sent(bot, STATUS, told[-1])
    [(path, headers, body)] = bot.got
    assert path == "/repos/acme/prices/statuses/v2"
    assert headers["idempotency-key"].endswith(":ended")
    assert (body["state"], body["context"], body["target_url"]) == ("failure", "glidepath/prices", LINK)
    assert body["description"].startswith("errors +")


def test_what_is_filled_in_stays_text(bot: Bot, told: list[Message]) -> None:
    from dataclasses import replace

    evil = replace(
        told[-1], fields={**told[-1].fields, "sentence": '", "admin": true, "x": "$link', "version": "../../x?y"}
    )
    sent(bot, STATUS, evil)
    [(path, _, body)] = bot.got
    assert path == "/repos/acme/prices/statuses/..%2F..%2Fx%3Fy"
    assert body["description"] == '", "admin": true, "x": "$link'
    assert set(body) == set(STATUS["body"])  # type: ignore[arg-type]


class Post:
    """A mail server that takes everything, or answers a recipient as it is told."""

    def __init__(self, answer: str = "250 fine") -> None:
        self.answer, self.port = answer, 0
        self.mails: list[EmailMessage] = []


@contextmanager
def mail_server(post: Post) -> Iterator[Post]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line.split()[0].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        text += part
                    post.mails.append(message_from_bytes(text, policy=policy.default))  # type: ignore[arg-type]
                self.wfile.write(f"{post.answer if word == b'RCPT' else '250 fine'}\r\n".encode())
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        post.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield post
        server.shutdown()


MAIL = {
    "to": "email", "connection": "smtp", "sender": "releases@shop.example", "addresses": ["a@shop.example", "b@shop.example"],
}  # fmt: skip


def mailed(post: Post, one: Message) -> None:
    """Send one mail."""
    made = carrier(channel(MAIL, timeout=2), lambda: ("", {}), lambda: Server("127.0.0.1", post.port, tls="none"))
    assert isinstance(made, Mail)
    made.send(one, "")


def test_mail_has_one_conversation_a_release(told: list[Message]) -> None:
    with mail_server(Post()) as post:
        for one in told[-2:]:
            mailed(post, one)
    first, second = post.mails
    assert first["Subject"] == "ROLLED BACK: prices v1 -> v2"
    assert first["To"] == "a@shop.example, b@shop.example"
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert first["Message-ID"] != second["Message-ID"]
    assert first.get_content().startswith("ROLLED BACK: prices v1 -> v2 in shop")


@pytest.mark.parametrize(("answer", "may_pass"), [("451 later", True), ("550 no such person", False)])
def test_a_mail_server_that_refuses_says_whether_for_good(told: list[Message], answer: str, may_pass: bool) -> None:
    with mail_server(Post(answer)) as post, pytest.raises(MessageError) as caught:
        mailed(post, told[-1])
    assert caught.value.may_pass == may_pass


def test_a_mail_server_that_is_not_there_is_an_error(told: list[Message]) -> None:
    with pytest.raises(MessageError, match="ConnectionRefusedError"):
        mailed(Post(), told[-1])
