"""A watchdog may die, or have a twin, at any moment: one brake comes of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from kubernetes import client

from glidepath.traffic import Split
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from tests.support.apiserver import NAMESPACE, SERVICE
from tests.unit.watchdog.world import LEASE_S, Abandoned

SAFE = Split("v1", "v2", 0)
# The requests of a pass that ends an expired claim; the last test of this file holds the number to it.
REQUESTS = 23


class Died(BaseException):
    """The process ended here."""


class Mortal(client.ApiClient):  # type: ignore[misc]
    """A client whose process dies at a request: before it is sent, or before the answer is seen."""

    def __init__(self, settings: client.Configuration, at: int, sent: bool) -> None:
        super().__init__(settings)
        self.left, self.sent = at, sent

    def call_api(self, *args: Any, **more: Any) -> Any:
        self.left -= 1
        if self.left < 0 and not self.sent:
            raise Died
        answer = super().call_api(*args, **more)
        if self.left < 0:
            raise Died
        return answer


def mortal(world: Abandoned, at: int, sent: bool) -> Mortal:
    return Mortal(world.server.api().configuration, at, sent)


def expire(world: Abandoned, watchdog: Watchdog) -> int:
    """Bring a release to the second before it expires in a watchdog's eyes; its token."""
    watchdog.look()
    token = world.release(30).token
    watchdog.look()
    world.watch(watchdog, LEASE_S - 1)
    assert world.split() == Split("v1", "v2", 30)
    world.wait(1)
    return token


def assert_ended_once(world: Abandoned, token: int) -> None:
    state = world.claims().read()
    assert state is not None
    assert (state.holder, state.token) == ("", token + 1)
    assert state.annotations["glidepath.dev/last-run"] == "run-1"
    assert state.annotations["glidepath.dev/last-outcome"] == "abandoned"
    assert "glidepath.dev/taken" not in state.annotations
    assert world.split() == SAFE
    [event] = world.server.all("events")
    assert "release run-1 did not renew its claim" in event["message"]
    assert "traffic was v1 70 %, v2 30 %" in event["message"]
    assert {one["metadata"]["annotations"]["glidepath.dev/token"] for one in world.server.all("deployments")} == {
        str(token + 1)
    }


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(REQUESTS))
def test_whatever_request_it_dies_at_the_next_watchdog_finishes(world: Abandoned, at: int, sent: bool) -> None:
    first = world.watchdog()
    token = expire(world, first)
    first._api = first._objects._api = mortal(world, at, sent)
    with pytest.raises(Died):
        first.look()
    second = world.watchdog()
    second.look()
    world.watch(second, LEASE_S / 3)  # it may have died before it took the claim: the next one looks for itself first
    assert_ended_once(world, token)


def test_a_claim_the_watchdog_holds_is_finished_at_once(world: Abandoned) -> None:
    first = world.watchdog()
    token = expire(world, first)
    world.server.fail("PATCH", "virtualservices", 403)
    first.look()
    assert world.split() == Split("v1", "v2", 30)
    state = world.claims().read()
    assert state is not None
    assert (state.holder, state.token) == ("glidepath-watchdog", token + 1)
    world.watchdog().look()
    assert_ended_once(world, token)
    assert world.facts.brakes == {SERVICE: 1}


def test_two_watchdogs_at_once_make_one_brake(world: Abandoned) -> None:
    facts = [Health(), Health()]
    pair = [Watchdog(world.server.api(), NAMESPACE, one, lambda: world.wall, lambda: world.steady) for one in facts]
    pair[1].look()
    token = expire_both(world, pair)
    meet = threading.Barrier(2, timeout=10)
    # Both have listed the claims before either takes one.
    for _ in pair:
        world.server.before("PATCH", "leases", meet.wait)
    threads = [threading.Thread(target=one.look) for one in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    for one in pair:
        one.look()
    assert_ended_once(world, token)
    assert sum(one.brakes[SERVICE] for one in facts) == 1


def expire_both(world: Abandoned, pair: list[Watchdog]) -> int:
    for one in pair:
        one.look()
    token = world.release(30).token
    for _ in range(round(LEASE_S)):
        for one in pair:
            one.look()
        world.wait(1)
    return token


def test_the_number_of_requests_is_what_the_deaths_cover(world: Abandoned) -> None:
    watchdog = world.watchdog()
    expire(world, watchdog)
    before = len(world.server.log)
    watchdog.look()
    assert len(world.server.log) - before == REQUESTS
