"""Options that several commands have."""

from __future__ import annotations

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
