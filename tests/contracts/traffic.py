"""The contract of `Traffic` and `Fence`, which stamp the objects of one service together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glidepath.claim import Claim
from glidepath.errors import ClaimLostError, StaleWriteError, UnsupportedRoutesError
from glidepath.kube import HELD, OPEN
from glidepath.traffic import Match, Mirror, Routes, Routing, Split, WayBack
from glidepath.traffic.handling import all_on, leave, let_go, take
from tests.contracts.place import Place

SHARED, SAFE = Split("v1", "v2", 20), Split("v1", "v2", 0)


def keeps(place: Place) -> None:
    """Weights are written under a token, read back, and refused with a lower one; then everything is let go."""
    traffic, fence = place.traffic(), place.fence()
    before, first = traffic.read(), fence.state()
    claim = place.claim("dag/one", first.newest + 1)
    assert (all_on(traffic, "v1"), before.held, before.since) == (True, False, None)
    for unheld in (
        lambda: traffic.write(claim, Routes(SHARED)),
        lambda: traffic.stop(claim, WayBack(Split("v2", "v1", 0), {"v1"})),
    ):
        with pytest.raises(ClaimLostError):
            unheld()
    take(traffic, fence, claim)
    _taken(place, claim.token)
    assert traffic.read(before.routing, ["v2"]).since is None, "taking changes nothing"
    assert traffic.write(claim, Routes(SHARED)).split == SHARED
    version = traffic.read().resource_version
    assert traffic.write(claim, Routes(SHARED)).resource_version == version, "what is so already is not written"
    with pytest.raises(StaleWriteError):
        traffic.write(claim, Routes(SAFE), lambda: False)
    _tells_what_it_cannot(place, claim)
    way = WayBack(SAFE, {"v2"}, before.routing)
    _refuses(place, replace(claim, token=claim.token - 1), way)
    assert place.traffic().read().split == SHARED
    _binds(place, claim, way)
    _tells_what_was_changed(place, before.routing)
    assert traffic.stop(claim, way)
    assert not traffic.stop(claim, way), "what is reached already is not written"
    assert all_on(traffic, "v1")
    assert leave(traffic, claim, "v1")
    let_go(traffic, fence, claim)
    let_go(traffic, fence, claim)
    after = place.fence().state()
    assert (set(after.held), set(after.tokens), place.traffic().read().held) == (set(), {claim.token}, False)


def _tells_what_it_cannot(place: Place, claim: Claim) -> None:
    """Routes that a port can't write are refused before anything is written; those that it can are read back."""
    written = place.traffic().read().resource_version
    for routes in (
        Routes(SHARED, Mirror("v2", 100)),
        Routes(SHARED, matches=(Match("v2", (("x-early", "yes"),)),)),
    ):
        try:
            assert place.traffic().write(claim, routes).carries(routes)
        except UnsupportedRoutesError:
            assert place.traffic().read().resource_version == written
    place.traffic().write(claim, Routes(SHARED))


def _refuses(place: Place, late: Claim, way: WayBack) -> None:
    """Whatever is written with a lower token is refused, each write by itself."""
    traffic, fence = place.traffic(), place.fence()
    for write in (
        lambda: traffic.write(late, Routes(SAFE)),
        lambda: traffic.stop(late, way),
        lambda: traffic.stop(late, way, mine=True),
        lambda: traffic.mark(late, HELD),
        lambda: traffic.mark(late, OPEN),
        lambda: fence.take(late),
        lambda: fence.open(late),
        lambda: fence.hold(late, "v1"),
        lambda: fence.let_go(late, "v1"),
    ):
        with pytest.raises(ClaimLostError):
            write()
    _taken(place, late.token + 1)


def _binds(place: Place, claim: Claim, way: WayBack) -> None:
    """Who was first between a read and the write of another is not overwritten: it is asked again whether that is wanted."""
    other = Split("v1", "v2", 30)
    for late in (
        lambda still: place.traffic().write(claim, Routes(SHARED), still),
        lambda still: place.traffic().stop(claim, way, still),
    ):
        place.traffic().write(claim, Routes(Split("v1", "v2", 40)))
        asked: list[bool] = []

        def still(asked: list[bool] = asked) -> bool:
            if not asked:
                place.traffic().write(claim, Routes(other))
            asked.append(not asked)
            return asked[-1]

        with pytest.raises(StaleWriteError):
            late(still)
        assert (asked, place.traffic().read().split) == ([True, False], other)
    place.traffic().write(claim, Routes(SHARED))


def _tells_what_was_changed(place: Place, before: Routing) -> None:
    """Weights are no change; another object is one, and other hosts."""
    traffic = place.traffic()
    assert traffic.read(before, ["v2"]).since is None
    for was in (replace(before, uid="another"), replace(before, hosts=("elsewhere",))):
        assert traffic.read(was, ["v2"]).since


def names_what_is_around(place: Place) -> None:
    """A service alone has nothing around it, and a way to its version."""
    labels = place.workloads().shape("v1")
    assert labels is not None
    around = place.traffic().around(["v2"], {"v1": labels.labels}, everywhere=True)
    assert (around.outdone, around.misled, around.lost, around.leading) == (None, None, None, {})
    assert set(around.ways) == {"v1"}
    reference = place.traffic().reference
    assert set(reference) == {"apiVersion", "kind", "namespace", "name"}
    assert reference["name"] in place.traffic().read().name
    assert place.traffic().around(["v2"], {"v9": None}).lost


def holds_versions_one_by_one(place: Place) -> None:
    """One version's objects can be let go and held; what is gone is no error."""
    fence = place.fence()
    claim = place.claim("dag/two", fence.state().newest + 1)
    take(place.traffic(), fence, claim)
    held = fence.state().held
    fence.let_go(claim, "v1")
    assert len(fence.state().held) == len(held) - 1
    fence.hold(claim, "v1")
    assert fence.state().held == held
    fence.let_go(claim, "v9")
    fence.hold(claim, "v9")
    fence.free_writes()
    assert (fence.state().held, fence.state().write) == (held, 0)
    let_go(place.traffic(), fence, claim)


def _taken(place: Place, token: int) -> None:
    state = place.fence().state()
    assert state.tokens == {token}
    assert len(state.held) >= 3
    assert "v1" in state.versions
    assert place.traffic().read().held
