"""A fleet: releases of several services in waves. Which policies, in which order, how many at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from glidepath.errors import PolicyError
from glidepath.policy.fields import Form, Name, Zone
from glidepath.policy.load import name_in, read, told

# A policy's name, or a pattern of names.
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,60}$")]


class Fleet(Form):
    """Releases of several services, wave after wave; after the first that is not promoted none begins any more."""

    name: Name = Field(description="The fleet's DAG is fleet_<name>.")
    waves: list[Annotated[list[Pattern], Field(min_length=1)]] = Field(
        min_length=1,
        max_length=20,
        description="Names of policies (their `name`, else their service), or patterns such as `search-*`; a wave begins when the one "
        "before is promoted as a whole.",
    )
    concurrent: int = Field(1, ge=1, le=200, description="How many releases of a wave are under way at once.")
    schedule: str | None = Field(None, description="Cron expression or Airflow preset; null: only by hand.")
    timezone: Zone = Field("UTC", description="Whose clock the schedule goes by: an IANA name.")

    @property
    def dag_id(self) -> str:
        """What the fleet's DAG is called."""
        return fleet_id(self.name)

    def chosen(self, names: Collection[str]) -> list[list[str]]:
        """The policies of each wave, in the order of their names.

        Args:
            names: Those that there are.

        Raises:
            PolicyError: A pattern matches none, or a policy is in two waves.
        """
        waves: list[list[str]] = []
        taken: dict[str, int] = {}
        for number, patterns in enumerate(self.waves, 1):
            wave: set[str] = set()
            for pattern in patterns:
                found = {name for name in names if fnmatchcase(name, pattern)}
                if not found:
                    there = ", ".join(sorted(names)) or "none"
                    raise PolicyError(
                        f"fleet {self.name}: wave {number}: no policy is called {pattern!r}; expected one of: {there}"
                    )
                wave |= found
            for name in sorted(wave):
                if (other := taken.setdefault(name, number)) != number:
                    raise PolicyError(
                        f"fleet {self.name}: {name} is in wave {other} and in wave {number}; expected each policy in one"
                    )
            waves.append(sorted(wave))
        return waves


def fleet_id(name: str) -> str:
    """What the DAG of a fleet's name is called."""
    return f"fleet_{name.replace('-', '_')}"


def fleet_id_of(path: Path) -> str:
    """What the DAG of a fleet's file is called, even when the fleet is invalid: runs under way go on under that name."""
    return fleet_id(name_in(path, "name") or re.sub(r"[^a-zA-Z0-9_.-]", "_", path.stem))


def load_fleet(path: Path) -> Fleet:
    """The fleet in a file.

    Raises:
        PolicyError: It can't be read or is not valid; one line an error, with file, line, what was given and expected.
    """
    try:
        written = read(path.read_text(), str(path), "name, waves")
    except OSError as error:
        raise PolicyError(f"{path}: the fleet can't be read: {error.strerror}; expected a YAML file") from error
    try:
        return Fleet.model_validate(written.values)
    except ValidationError as error:
        raise PolicyError(told(error, written)) from error
