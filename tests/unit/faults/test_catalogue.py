"""The catalogue, what is played next, the page, and that what must hold can fail."""

from __future__ import annotations

import random
from typing import Any

from tests.faults.__main__ import choose
from tests.faults.audit import Write
from tests.faults.catalogue import TELLING, catalogue
from tests.faults.invariants import GLIDEPATH, WATCHDOG, Played, _untouched, _writers
from tests.faults.scene import MOMENTS
from tests.faults.table import by_case, cell, page

PLAYED = Played("dag/run", 0.0, "v1", "v2")


def row(fault: str, phase: str, **other: Any) -> dict[str, Any]:
    """A result."""
    usual = {"outcome": "rolled_back", "to_safe_s": 4.2, "to_end_s": 40.0, "broken": [], "commit": "abc", "at": 1.0}
    return {"fault": fault, "phase": phase, **usual, **other}


def write(version: int, kind: str, token: int, user: str = GLIDEPATH, canary: int = 0, code: int = 200) -> Write:
    """A write as the audit log has it."""
    route = [{"destination": {"subset": name}, "weight": w} for name, w in (("v1", 100 - canary), ("v2", canary))]
    body = {"metadata": {"annotations": {"glidepath.dev/token": str(token)}}, "spec": {"http": [{"route": route}]}}
    return Write(float(version), user, "agent", "patch", kind, "model-service", code, version, body)


def test_every_case_has_a_moment_and_the_telling_ones_are_six() -> None:
    known = catalogue()
    assert {phase for fault in known.values() for phase in fault.phases} == set(MOMENTS)
    assert len(set(TELLING)) == 3
    assert all(phase in known[name].phases for name, phase in TELLING)


def test_what_was_played_least_is_played_next() -> None:
    fault = catalogue()["etcd-killed"]
    done = by_case(row(fault.name, phase) for phase in fault.phases if phase != "gate")
    assert choose(random.Random(1), [fault], done) == (fault, "gate")


def test_a_cell_has_outcomes_medians_and_what_is_broken() -> None:
    some = [row("etcd-killed", "gate"), row("etcd-killed", "gate", outcome="promoted", to_safe_s=None, broken=["it"])]
    assert cell(some) == "back/on 4 / 40 ×2 **1 broken**"
    assert cell([]) == "·"
    told = page(some)
    assert "| `etcd-killed` | gate | abc | it | not played |" in told
    assert "2 faults were made, in 1 of the" in told
    again = [row("etcd-killed", "gate", at=10.0, broken=["it"]), row("etcd-killed", "gate", at=20.0, broken=["that"])]
    told = page([*again, row("etcd-killed", "gate", at=30.0, commit="def"), row("etcd-killed", "harm", at=40.0)])
    assert "| it | held 1 of 2 times, last at def |" in told
    assert "| that | held 1 of 1 times, last at def |" in told


def test_a_write_with_an_older_token_does_not_hold() -> None:
    good = [write(1, "leases", 4), write(2, "virtualservices", 4, canary=20), write(3, "leases", 5, WATCHDOG)]
    assert list(_writers(PLAYED, [*good, write(4, "virtualservices", 5, WATCHDOG)])) == []
    back = [*good, write(4, "virtualservices", 5, WATCHDOG), write(5, "virtualservices", 4, canary=20)]
    told = list(_writers(PLAYED, back))
    assert any("went back from token 5 to 4" in one for one in told)
    assert any("written last by a stale writer" in one for one in told)


def test_a_refused_write_is_none_and_a_strangers_is_told() -> None:
    assert list(_writers(PLAYED, [write(1, "leases", 4), write(2, "virtualservices", 3, code=403)])) == []
    assert list(_writers(PLAYED, [write(1, "deployments", 4, "mallory")])) == [
        "mallory (agent) wrote deployments/model-service"
    ]


def test_without_a_record_nothing_may_be_touched() -> None:
    assert list(_untouched(PLAYED, [write(1, "leases", 4)])) == []
    assert len(list(_untouched(PLAYED, [write(1, "virtualservices", 4)]))) == 1
