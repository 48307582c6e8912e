"""Releases in every state, and a service of a test's own."""

from __future__ import annotations

import pytest

from glidepath.record import Record
from glidepath.status import Status, listed, status
from tests.support.releases import DAG

NOW = 1_800_009_000.0


@pytest.fixture(scope="session")
def played(played_url: str) -> Record:
    """The record of releases in every state."""
    return Record(played_url)


class Told:
    """How the releases stand, by the names they were played under."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def of(self, name: str, after: int = 0) -> Status:
        """One of them."""
        return status(self.record, f"{DAG}/manual__{name}+00:00", NOW, after)

    def states(self) -> dict[str, str]:
        """The list's word for each."""
        return {
            row.run_id.removeprefix("manual__").removesuffix("+00:00"): str(row.state) for row in listed(self.record)
        }


@pytest.fixture
def told(played: Record) -> Told:
    return Told(played)
