"""What answers in Airflow's place is not taken for it: login pages, proxies, other APIs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glidepath.cli.main import main
from tests.support.airflow_api import Api
from tests.support.loopback import Handler, listening
from tests.support.releases import DAG

PAGE = b"<!doctype html><html><body><h1>Log in</h1><p>next=/glidepath/api/v1/releases?token=secret</p></body></html>"
# What is answered to all but to who logs in: code, body, and where to.
ANSWERS = {
    "a page": (200, PAGE, {}),
    "nothing": (200, b"", {}),
    "a list": (200, b"[]", {}),
    "another API": (200, b'{"status": {"ok": true}, "releases": [{"name": "x"}]}', {}),
    "sent on": (302, b"", {"Location": "/login?token=secret"}),
    "sent on for good": (308, b"", {"Location": "https://login.example.com/in?token=secret"}),
    "a proxy": (502, PAGE, {}),
}
RELEASE = "release_shop/manual__1"
READ = [["status", RELEASE], ["status"], ["history"], ["export", RELEASE], ["report", RELEASE, "-o", "html"],
        ["report", RELEASE, "-o", "markdown"], ["report", RELEASE, "-o", "json"]]  # fmt: skip
ASKED = [[word, *named, "--reason", "fine"] for word in ("hold", "resume", "take-back", "commit")
         for named in ((RELEASE,), ())]  # fmt: skip
BEGUN = [["release", "shop"], ["release", "shop", "--wait"], ["approve", RELEASE, "--reason", "fine"]]


class Front:
    """Who stands where Airflow should.

    Attributes:
        answer: What it answers.
        got: The paths that it was asked for.
    """

    def __init__(self) -> None:
        self.answer: tuple[int, bytes, dict[str, str]] = ANSWERS["a page"]
        self.got: list[str] = []
        self.login = True


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """One, whose user is known."""
    made = Front()

    class Serving(Handler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.got.append(self.path)
            if self.path == "/auth/token" and made.login:
                return self.reply(201, b'{"access_token": "t"}')
            if self.path.startswith("/login"):
                return self.reply(200, PAGE)
            code, body, headers = made.answer
            return self.reply(code, body, **headers)

        do_GET = do_POST = do_PATCH = _serve

    monkeypatch.delenv("GLIDEPATH_RECORD_URL", raising=False)
    monkeypatch.delenv("GLIDEPATH_AIRFLOW_TOKEN", raising=False)
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_USER", "ann")
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_PASSWORD", "hidden")
    with listening(Serving) as url:
        monkeypatch.setenv("GLIDEPATH_AIRFLOW_URL", url)
        yield made


@pytest.mark.parametrize("answered", ANSWERS)
def test_what_is_not_airflow_is_not_taken_for_it(
    front: Front, capsys: pytest.CaptureFixture[str], answered: str
) -> None:
    front.answer = ANSWERS[answered]
    for command in (*READ, *ASKED, *BEGUN):
        # Behind a proxy that has no answer it may have begun.
        unknown = command[0] == "status" or (command[0] == "release" and answered == "a proxy")
        assert main(command) == (5 if unknown else 1), "with 1 it would have been taken back"
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("glidepath: ")
        assert "Traceback" not in told.err
        assert not any(word in told.err for word in ("secret", "hidden", "<"))
    assert not any(path.startswith("/login") for path in front.got), "nobody is followed elsewhere"


@pytest.mark.parametrize("answered", ANSWERS)
def test_who_can_not_be_logged_in_at_is_named(front: Front, capsys: pytest.CaptureFixture[str], answered: str) -> None:
    front.answer, front.login = ANSWERS[answered], False
    assert main(["status", RELEASE, "-o", "json"]) == 5
    told = capsys.readouterr()
    assert (told.out, "/auth/token" in told.err, "hidden" in told.err) == ("", True, False)


def test_a_token_that_ran_out_ends_a_watch(
    front: Front, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLIDEPATH_AIRFLOW_USER")
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_TOKEN", "run-out\n")
    front.answer = 401, b'{"detail": "Signature has expired"}', {}
    assert main(["status", RELEASE, "--watch"]) == 5
    told = capsys.readouterr().err
    assert "401: Signature has expired: the token in GLIDEPATH_AIRFLOW_TOKEN is no longer good" in told
    assert "run-out" not in told


def test_what_a_netrc_has_is_not_sent_instead_of_the_token(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "netrc").write_text("default login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert main(["history", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert set(api.signed) == {"Bearer t"}


@pytest.mark.parametrize("url", ["http://[::1", "http://h:port", "https://h/?token=secret", "https://h/#x"])
def test_an_address_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["status", RELEASE, "--airflow", url]) == 5
    told = capsys.readouterr().err
    assert "expected http://HOST:PORT" in told
    assert "secret" not in told


def test_a_password_that_can_not_be_read_is_refused(
    front: Front, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "password").write_bytes(b"\xff\xfe\x00")
    assert main(["status", RELEASE, "--password-file", str(tmp_path / "password")]) == 5
    assert "expected a text file" in capsys.readouterr().err
    assert front.got == []


@pytest.mark.parametrize("command", [["status"], ["release", "prices", "--wait"]])
def test_what_nobody_thought_of_is_not_told_as_taken_back(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("odd")

    assert api.url
    monkeypatch.setattr(f"glidepath.cli.{'releases' if command == ['status'] else 'started'}.tell", fails)
    assert main(command) == 5
    assert "RuntimeError: odd" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_who_reads_no_further_is_not_told_that_it_was_promoted(
    api: Api, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "glidepath.cli", "status", f"{DAG}/manual__undecided+00:00"]
    ended = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, check=False, text=True)
    os.close(writes)
    assert (ended.returncode, ended.stderr) == (5, "")
    assert api.got
