"""What is kept running: started again when it ends, held down on request, ended in order."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from rig.supervisor import AGAIN_AFTER_S, Component, end, supervise

LONG = ["tail", "-f", "/dev/null"]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "held").mkdir()
    return tmp_path


def test_one_that_ends_is_started_again_after_a_while(home: Path) -> None:
    one = Component("part", LONG, home)
    one.look(0.0)
    first = one.pid()
    assert one.process is not None
    one.process.kill()
    one.process.wait()
    one.look(10.0)
    assert one.pid() == 0
    one.look(10.0 + AGAIN_AFTER_S - 0.1)
    assert one.pid() == 0
    one.look(10.0 + AGAIN_AFTER_S)
    assert one.pid() not in (0, first)
    end([one])


def test_what_it_started_ends_with_it(home: Path) -> None:
    child = home / "child"
    one = Component(
        "part", ["sh", "-c", f"tail -f /dev/null & echo $! > {child}.new; mv {child}.new {child}; wait"], home
    )
    one.look(0.0)
    while not child.exists():
        assert one.process is not None
        assert one.process.poll() is None
    left = int(child.read_text())
    assert one.process is not None
    one.process.kill()
    one.process.wait()
    one.look(1.0)
    deadline = time.monotonic() + 10
    while not gone(left) and Path(f"/proc/{left}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline


def test_it_stays_down_while_it_is_held(home: Path) -> None:
    one = Component("part", LONG, home)
    (home / "held" / "part").touch()
    one.look(0.0)
    assert one.pid() == 0
    (home / "held" / "part").unlink()
    one.look(0.0)
    assert one.pid() != 0
    end([one])


def test_its_environment_is_read_at_each_start(home: Path) -> None:
    given = {"SAID": "first"}
    one = Component("part", ["sh", "-c", "echo $SAID"], home, lambda: given)
    for said in ("first", "second"):
        given["SAID"] = said
        one.look(0.0)
        assert one.process is not None
        one.process.wait()
        one.process, one.due = None, 0.0
    assert (home / "part.log").read_text().split() == ["first", "second"]


def test_what_others_stand_on_starts_before_them_and_ends_after_them(home: Path) -> None:
    # It lives only as long as the other: seen by the other when that is told to end.
    log = home / "log"
    tells = f"trap 'kill -0 $(cat {home}/under.pid) && echo under lives >> {log}; exit 0' TERM; "
    under = Component("under", ["sh", "-c", f"echo $$ > {home}/under.pid; exec tail -f /dev/null"], home)
    under.look(time.monotonic())
    while not (home / "under.pid").exists():
        assert under.pid()
    # The first that runs tells the supervisor to stop once both are noted.
    ready = f"until grep -q '\"above\": [1-9]' {home}/pids.json; do :; done; kill -TERM {os.getpid()}; "
    above = Component("above", ["sh", "-c", f"{tells}{ready}while :; do :; done"], home)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        supervise([above], home, [under])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert log.read_text() == "under lives\n"
    assert list(json.loads((home / "pids.json").read_text())) == ["under", "above"]
    assert under.process is not None
    assert under.process.wait(5) is not None
