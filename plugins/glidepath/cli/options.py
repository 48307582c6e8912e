"""What several commands have: options, and where --file leads."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click

FILE = click.Path(path_type=Path, dir_okay=False)
form = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is told."
)
record_option = click.option(
    "--record", help="The record's SQLAlchemy URL; default: GLIDEPATH_RECORD_URL, or Airflow's home."
)
service_option = click.option("--service", help="A release of this service, where none is named.")


def save(file: Path, text: str, dry_run: bool) -> None:
    """Write a file; with a dry run only make sure that it can be written.

    Raises:
        OSError: It can't.
    """
    if not dry_run:
        file.write_text(text, encoding="utf-8")
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        number = errno.EACCES if file.parent.is_dir() else errno.ENOENT
        raise OSError(number, os.strerror(number), str(file))
