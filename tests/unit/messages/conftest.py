"""Services that messages go to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.bot import Bot, served


@pytest.fixture(scope="session")
def played(played_url: str) -> str:
    """The URL of a record of releases in every state; to be read only."""
    return played_url


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A service that takes POSTs."""
    with served() as made:
        yield made
