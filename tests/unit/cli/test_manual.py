"""What help says below a command's options is true: its examples are understood, its neighbours exist."""

from __future__ import annotations

import glob
import shlex

import click
import pytest

from glidepath.cli.main import commands, main
from glidepath.cli.manual import MANUALS, SECTIONS

EXAMPLES = [(name, line) for name, manual in MANUALS.items() for line in manual.examples]


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_is_understood(
    name: str, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is read as the command reads it, in a folder with the files that it names; nothing is done."""
    folder = tmp_path_factory.mktemp("checkout")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GLIDEPATH_AIRFLOW_URL", "http://localhost:8080")
    words = shlex.split(line.removeprefix("source <(").removesuffix(")"))
    assert words[:2] == ["glidepath", name]
    for word in words:
        if "/" in word or "." in word:
            path = folder / word.replace("*", "prices")
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix in (".yaml", ".jsonl"):
                path.touch()
    (folder / "recorded").mkdir(exist_ok=True)
    given = [file for word in words[2:] for file in (glob.glob(word) if "*" in word else [word])]
    context = commands.commands[name].make_context(name, given)
    assert context.command is commands.commands[name]


def test_every_command_has_its_place_and_its_manual() -> None:
    listed = [name for rows in SECTIONS.values() for name in rows]
    assert sorted(listed) == sorted(commands.commands) == sorted(MANUALS)
    assert {other for manual in MANUALS.values() for other in manual.see} <= set(listed)


@pytest.mark.parametrize("name", ["", *sorted(MANUALS)])
def test_help_has_all_of_it_and_cuts_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*([name] if name else []), "--help"]) == 0
    told = capsys.readouterr().out
    assert not any(line.rstrip().endswith("...") for line in told.splitlines()[1:])
    if name:
        assert all(f"\n    {line}\n" in told for line in MANUALS[name].examples)
        assert all(f"\n    {code}  {meaning}\n" in f"{told}\n" for code, meaning in MANUALS[name].codes.items())


def test_the_examples_fail_where_an_option_is_gone() -> None:
    with pytest.raises(click.UsageError):
        commands.commands["status"].make_context("status", ["--no-such"])
