"""Faults made for real in the middle of releases. The most telling ones in `make test`, each at least once in `make faults`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conftest import say
from tests.faults.arena import Arena
from tests.faults.case import as_row, play
from tests.faults.catalogue import TELLING, Fault, catalogue

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
SEED = 5


def once() -> Iterator[tuple[str, str]]:
    """The telling cases, and of every other fault the phase in which it can do most."""
    yield from TELLING
    told = {name for name, _ in TELLING}
    for fault in catalogue().values():
        if fault.name not in told:
            yield fault.name, most(fault)


def most(fault: Fault) -> str:
    """The phase in which a fault can do most: while the canary has weight, if it is done then."""
    return next((phase for phase in ("baking", "promoting", "deploy") if phase in fault.phases), fault.phases[0])


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    """A supervised Airflow with everything between it and the world that can be told to fail."""
    opened = Arena.open(say)
    yield opened
    opened.close()


CASES = [
    pytest.param(name, phase, id=f"{name}-{phase}", marks=() if (name, phase) in TELLING else pytest.mark.long)
    for name, phase in once()
]


@pytest.mark.parametrize(("name", "phase"), CASES)
def test_whatever_breaks_it_is_safe(arena: Arena, name: str, phase: str) -> None:
    started = time.time()
    result = play(arena, catalogue()[name], phase, SEED, say)
    say(json.dumps(as_row(result)))
    assert result.broken == [], f"after {time.time() - started:.0f} s; see {arena.home}/failures"
