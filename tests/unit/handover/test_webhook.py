"""A handover by HTTP: a real server on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from glidepath.errors import HandoverError, PolicyError, SetupError
from glidepath.handover import Command, Webhook
from glidepath.hooks.handover import handover_for
from glidepath.policy.gitops import GitOps
from tests.support.bot import Bot, served
from tests.unit.handover.words import WORD


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A bot that changes the values."""
    with served() as made:
        yield made


def webhook(url: str, timeout_s: float = 5.0, tries: int = 3) -> Webhook:
    """A handover to a bot, without a pause between its tries."""
    return Webhook(lambda: (f"{url}/values", {"Authorization": "Bearer planted"}), tries, timeout_s, pause_s=0.0)


def test_it_posts_the_word_with_a_key(bot: Bot) -> None:
    assert webhook(bot.url).tell(WORD) == "200 merged as 1a2b3c"
    [(path, headers, body)] = bot.got
    assert (path, body) == ("/values", WORD.to_dict())
    assert (headers["idempotency-key"], headers["authorization"]) == (WORD.key, "Bearer planted")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [500, 502, 503, 429, 409])
def test_what_may_pass_is_asked_again_with_the_same_key(bot: Bot, status: int) -> None:
    bot.answers = [status, status, 202]
    assert webhook(bot.url).tell(WORD).startswith("202")
    assert [headers["idempotency-key"] for _, headers, _ in bot.got] == [WORD.key] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_asked_again_and_nobody_has_heard(bot: Bot, status: int) -> None:
    bot.answers = [status]
    with pytest.raises(HandoverError, match=rf"/values answered {status}: branch is protected") as caught:
        webhook(bot.url).tell(WORD)
    assert len(bot.got) == 1
    assert caught.value.untold
    assert len(str(caught.value)) < 500
    assert "planted" not in str(caught.value)


def test_a_refusal_after_a_time_out_may_have_been_heard(bot: Bot) -> None:
    bot.answers = [503, 403]
    with pytest.raises(HandoverError, match="answered 403") as caught:
        webhook(bot.url).tell(WORD)
    assert not caught.value.untold


def test_it_gives_up_after_its_tries(bot: Bot) -> None:
    bot.answers = [503]
    with pytest.raises(HandoverError, match="answered 503"):
        webhook(bot.url).tell(WORD)
    assert len(bot.got) == 3


def test_a_redirect_is_not_followed(bot: Bot) -> None:
    bot.answers = [302]
    with pytest.raises(HandoverError, match="answered 302"):
        webhook(bot.url).tell(WORD)
    assert [body for _, _, body in bot.got if body == "GET"] == []


def test_one_that_hangs_is_given_up_in_time(bot: Bot) -> None:
    bot.answers = [3.0]
    began = time.monotonic()
    with pytest.raises(HandoverError, match=r"did not answer within 0.2 s: ReadTimeout") as caught:
        webhook(bot.url, timeout_s=0.2, tries=2).tell(WORD)
    assert time.monotonic() - began < 2.5
    assert not caught.value.untold


def test_one_that_is_not_there_has_heard_nothing() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(HandoverError, match="ConnectionError") as caught:
        webhook(f"http://127.0.0.1:{port}").tell(WORD)
    assert caught.value.untold


def test_an_address_that_cannot_be_read_is_an_error_of_the_handover() -> None:
    def away() -> tuple[str, dict[str, str]]:
        raise RuntimeError("the vault is sealed")

    with pytest.raises(HandoverError, match="could not be read: the vault is sealed") as caught:
        Webhook(away, 1, 1.0).tell(WORD)
    assert caught.value.untold


class TestAPolicys:
    def test_webhook_goes_by_a_connection(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        extra = json.dumps(
            {"conn_type": "http", "host": bot.url + "/bots", "extra": {"headers": {"X-Token": "planted"}}}
        )
        monkeypatch.setenv("AIRFLOW_CONN_BOT", extra)
        asked = GitOps(handover="webhook", connection="bot", path="/hooks/values")
        found = handover_for(asked)
        assert found is not None
        assert found.check() == f"a POST to {bot.url}/bots/hooks/values"
        assert bot.got == []
        found.tell(WORD)
        [(path, headers, _)] = bot.got
        assert (path, headers["x-token"]) == ("/bots/hooks/values", "planted")

    @pytest.mark.parametrize("connection", [None, '{"conn_type": "http"}'])
    def test_a_connection_that_is_none_is_refused_at_plan(
        self, connection: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if connection:
            monkeypatch.setenv("AIRFLOW_CONN_NOBODY", connection)
        found = handover_for(GitOps(handover="webhook", connection="nobody"))
        assert found is not None
        with pytest.raises(SetupError, match="AIRFLOW_CONN_NOBODY=https"):
            found.check()
        with pytest.raises(HandoverError, match="'nobody' is none, or has no host"):
            found.tell(WORD)

    def test_command_and_none_are_what_they_say(self) -> None:
        assert isinstance(handover_for(GitOps(handover="command", command=("sh",))), Command)
        assert handover_for(GitOps(handover="none")) is None
        assert handover_for(None) is None

    def test_a_path_is_a_path(self) -> None:
        with pytest.raises((PolicyError, ValueError), match="path"):
            GitOps(handover="webhook", connection="bot", path="/a?token=x")


@pytest.mark.parametrize("what", ["headers", "body"])
def test_one_that_sends_a_byte_now_and_then_has_no_more_time_than_others(what: str) -> None:
    """Each byte is within a time-out of its own; a promotion waits for all of them."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError), server.accept()[0] as one:
                one.sendall(head if what == "body" else head[:20])
                for _ in range(200):
                    one.sendall(b"x")
                    time.sleep(0.05)

        threading.Thread(target=serve, daemon=True).start()
        began = time.monotonic()
        made = webhook(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.4, tries=1)
        if what == "body":
            assert made.tell(WORD).startswith("200 xxx")
        else:
            with pytest.raises(HandoverError, match=r"did not answer within 0.4 s: TimeoutError") as caught:
                made.tell(WORD)
            assert not caught.value.untold
        assert time.monotonic() - began < 6


def test_no_secret_of_the_connection_is_told(bot: Bot) -> None:
    bot.answers = [403]
    host = bot.url.removeprefix("http://")
    secret = f"http://user:planted-1@{host}/hook?token=planted-2"
    made = Webhook(lambda: (secret, {"Authorization": "Bearer branch is"}), 1, 5.0, pause_s=0.0)
    assert made.check() == f"a POST to {bot.url}/hook"
    with pytest.raises(HandoverError) as caught:
        made.tell(WORD)
    assert str(caught.value).startswith(f"{bot.url}/hook answered 403: *** protected!!!")
