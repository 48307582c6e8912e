"""A handover by a program: real processes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from glidepath.errors import HandoverError, PreflightError
from glidepath.handover import Command
from tests.unit.handover.words import VALUES, WORD


def script(folder: Path, text: str) -> str:
    """A shell script that notes each of its starts in `calls`."""
    path = folder / "commit-values"
    path.write_text(f"#!/bin/sh\necho x >> {folder}/calls\n{text}\n")
    path.chmod(0o755)
    return str(path)


def calls(folder: Path) -> int:
    """How often the script was started."""
    return len((folder / "calls").read_text().split())


def command(folder: Path, text: str, *arguments: str, timeout_s: float = 10.0, tries: int = 3) -> Command:
    """A handover by a script, without a pause between its tries."""
    return Command([script(folder, text), *arguments], tries, timeout_s, pause_s=0.0)


def test_it_gets_the_word_on_its_input_and_in_its_environment_and_its_arguments_as_they_are(tmp_path: Path) -> None:
    text = f'cat > {tmp_path}/in; env > {tmp_path}/env; printf "%s" "$1" > {tmp_path}/first; echo did it'
    assert command(tmp_path, text, "a b; $(reboot)").tell(WORD) == "did it"
    assert json.loads((tmp_path / "in").read_text()) == {"key": "dag/run 1:promote", **WORD.to_dict()}
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert (env["GLIDEPATH_PHASE"], env["GLIDEPATH_VERSION"], env["GLIDEPATH_STABLE"]) == ("promote", "v2", "v1")
    assert (env["GLIDEPATH_KEY"], json.loads(env["GLIDEPATH_VALUES"])) == ("dag/run 1:promote", VALUES)
    assert (tmp_path / "first").read_text() == "a b; $(reboot)"


def test_it_does_not_see_airflow_s_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "planted-secret")
    monkeypatch.setenv("AIRFLOW_CONN_DB", "planted-secret")
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", "planted-secret")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    command(tmp_path, f"env > {tmp_path}/env").tell(WORD)
    env = (tmp_path / "env").read_text()
    assert "planted-secret" not in env
    assert "GIT_SSH_COMMAND=ssh -i key" in env


def test_an_exit_code_is_a_refusal_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(HandoverError, match=r"commit-values ended with exit code 3: protected branch") as caught:
        command(tmp_path, "echo protected branch >&2; exit 3").tell(WORD)
    assert calls(tmp_path) == 3
    assert not caught.value.untold


def test_one_that_works_at_its_last_try_has_worked(tmp_path: Path) -> None:
    text = f'[ "$(wc -l < {tmp_path}/calls)" -ge 3 ]'
    assert command(tmp_path, text).tell(WORD) == ""


def test_one_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    text = f"sleep 60 & echo $! > {tmp_path}/child; echo pushing >&2; wait"
    began = time.monotonic()
    with pytest.raises(HandoverError, match=r"did not end within 0.4 s and was killed: pushing") as caught:
        command(tmp_path, text, timeout_s=0.4, tries=1).tell(WORD)
    assert time.monotonic() - began < 5
    assert not caught.value.untold
    assert gone(int((tmp_path / "child").read_text()))


def test_nothing_of_it_is_left_when_it_has_ended(tmp_path: Path) -> None:
    command(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child").tell(WORD)
    assert gone(int((tmp_path / "child").read_text()))


def gone(pid: int) -> bool:
    """Whether a process has ended, within two seconds; one that nobody has waited for has."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_one_that_says_a_lot_is_told_by_its_end(tmp_path: Path) -> None:
    text = "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo the end"
    answer = command(tmp_path, text).tell(WORD)
    assert answer.endswith("the end")
    assert len(answer) <= 200


def test_one_that_does_not_read_its_input_is_fine(tmp_path: Path) -> None:
    assert command(tmp_path, "exec 0<&-; echo fine").tell(WORD) == "fine"


def test_a_program_that_is_not_there_is_refused_at_plan_and_heard_by_nobody(tmp_path: Path) -> None:
    missing = Command([str(tmp_path / "none")], 3, 5.0)
    with pytest.raises(PreflightError, match=r"none' is no program that can be run here; nothing was touched"):
        missing.check()
    plain = tmp_path / "plain"
    plain.write_text("not executable")
    with pytest.raises(PreflightError):
        Command([str(plain)], 3, 5.0).check()
    assert Command(["sh"], 3, 5.0).check() == "the command sh"


@pytest.mark.parametrize("without", ["setpriv", ""])
def test_one_that_cannot_be_started_is_not_tried_again_and_heard_by_nobody(
    tmp_path: Path, without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without:
        monkeypatch.setattr("glidepath.handover.command.ends_with_us", lambda: ())
    began = time.monotonic()
    with pytest.raises(HandoverError) as caught:
        Command([str(tmp_path / "none")], 3, 5.0, pause_s=5.0).tell(WORD)
    assert time.monotonic() - began < 4
    assert caught.value.untold
    assert os.listdir(tmp_path) == []


def test_what_it_says_is_not_kept_on_the_disk_and_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    text = "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; echo; echo the end"
    assert command(tmp_path, text).tell(WORD).endswith("the end")


def test_what_it_leaves_behind_in_a_session_of_its_own_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    assert command(tmp_path, f"setsid sleep 5 & echo $! > {tmp_path}/child; echo done").tell(WORD) == "done"
    assert time.monotonic() - began < 4


def test_no_secret_that_it_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "planted-1")
    says = (
        "https://bot:planted-2@git.example.com/x.git",
        "Authorization: Basic planted-3",
        "token $GITLAB_TOKEN of",
        "main",
    )
    text = "; ".join(f"echo '{one}' | sed s/.GITLAB_TOKEN/$GITLAB_TOKEN/ >&2" for one in says)
    with pytest.raises(HandoverError) as caught:
        command(tmp_path, f"{text}; exit 1", tries=1).tell(WORD)
    told = str(caught.value)
    assert "planted" not in told
    for kept in ("https://***@git.example.com/x.git", "Authorization: ***", "token *** of", "main"):
        assert kept in told
