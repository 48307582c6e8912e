"""All commands under one name, and how they end: 0 for good, 1 for refused, 2 for a command that is not understood.

`status`, and `release` that waits, say by further codes how a release stands (`releases.py`). One that is cut off from the
keyboard ends with 130, as a shell has it: with 1 it would say that a release was taken back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from glidepath.cli import adopted, first, policies, recorded, releases, started
from glidepath.cli.manual import Sections, epilog
from glidepath.errors import GlidepathError
from glidepath.version import code_version

GOOD, REFUSED, USAGE, CUT_OFF = 0, 1, 2, 130


@click.group(
    cls=Sections,
    epilog="glidepath COMMAND --help has examples and exit codes. Errors go to stderr.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(code_version(), prog_name="glidepath")
def commands() -> None:
    """Progressive delivery for Kubernetes: policies, plans and recorded releases from a terminal."""


for _command in (
    *first.COMMANDS, *adopted.COMMANDS, *policies.COMMANDS, *recorded.COMMANDS, *releases.COMMANDS, *started.COMMANDS
):  # fmt: skip
    commands.add_command(_command)


@commands.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what completes commands, options and releases in a SHELL: source it from its start file."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(commands, {}, "glidepath", "_GLIDEPATH_COMPLETE").source())


for _name, _command in commands.commands.items():
    _command.epilog = epilog(_name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Its words; None: the process' own.

    Returns:
        The exit code. Errors go to stderr.
    """
    try:
        code = commands.main(None if argv is None else list(argv), prog_name="glidepath", standalone_mode=False)
    except click.UsageError as error:
        error.show(sys.stderr)
        return USAGE
    except click.ClickException as error:
        error.show(sys.stderr)
        return REFUSED
    except click.Abort:
        return CUT_OFF
    except GlidepathError as error:
        print(f"glidepath: {error}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except OSError as error:  # of a file that it was to write, above all
        print(f"glidepath: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        return REFUSED
    return code if isinstance(code, int) else GOOD
