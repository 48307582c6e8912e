"""How commands end: what is good, refused or not understood, and where it is said."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from glidepath.cli.main import CUT_OFF, GOOD, REFUSED, USAGE, commands, main


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["schema"], GOOD, ""),
        (["--help"], GOOD, ""),
        (["no-such"], USAGE, "No such command 'no-such'"),
        (["replay"], USAGE, "Missing argument 'EVIDENCE'"),
        (["replay", "x", "-o", "xml"], USAGE, "'xml' is not one of 'text', 'json'"),
        (["replay", "not-there.jsonl"], REFUSED, "glidepath: not-there.jsonl"),
        (["history", "--record", "no-url"], REFUSED, "leads to no record"),
    ],
)
def test_codes_and_where_errors_go(
    argv: list[str],
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == code
    out, err = capsys.readouterr()
    assert told in err
    assert bool(out) == (code == GOOD)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PermissionError(13, "Permission denied", "a.html")])
def test_what_is_cut_off_or_can_not_be_written_is_no_traceback(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr("glidepath.cli.recorded.json_schema", fails)
    cut_off = isinstance(error, KeyboardInterrupt)
    assert main(["schema"]) == (CUT_OFF if cut_off else REFUSED)
    assert ("glidepath: a.html: Permission denied" in capsys.readouterr().err) != cut_off


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = commands.commands[name]
    assert command.help
    for one in command.params:
        assert isinstance(one, click.Argument) or (isinstance(one, click.Option) and one.help), one.name


# What writes a file, asks something of a release or touches the cluster.
CHANGES = {"init", "adopt", "release", "approve", "reject", "hold", "resume", "take-back", "commit", "export", "report"}


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_speaks_json_and_what_changes_something_can_be_tried(name: str) -> None:
    options = {option: one for one in commands.commands[name].params for option in one.opts}
    if name != "completion":  # a script for a shell
        kind = options["-o"].type
        assert isinstance(kind, click.Choice)
        assert "json" in kind.choices
    assert ("--dry-run" in options) == (name in CHANGES)
