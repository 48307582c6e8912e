"""The contract of `Claims`."""

from __future__ import annotations

import pytest

from glidepath.errors import ClaimHeldError, ClaimLostError, ReleaseFinishedError
from tests.contracts.place import Place


def keeps(place: Place) -> None:
    """One holder at a time, with a token that only grows."""
    one, other = place.claims(), place.claims()
    held = one.acquire(place.claim("dag/one"), "http://run", routes="{}")
    assert one.acquire(place.claim("dag/one")) == held, "the holder's own claim is given back as it is"
    other.check("dag/one")
    for refused in (lambda: other.check("dag/two"), lambda: other.acquire(place.claim("dag/two"))):
        with pytest.raises(ClaimHeldError, match=r"held by dag/one .*http://run"):
            refused()
    assert (one.asked(held), one.lost(held)) == (None, None)
    one.mark_safe(held, "v2")
    raised = one.raise_above(held, held.token + 5)
    assert raised.token > held.token + 5
    with pytest.raises(ClaimLostError):
        other.renew(held)
    assert other.lost(held) is not None
    other.renew(raised)
    state = other.read()
    assert state is not None
    assert (state.holder, state.token) == ("dag/one", raised.token)
    one.end(raised, "rolled_back")
    one.end(raised, "rolled_back")  # given back already: nothing
    with pytest.raises(ReleaseFinishedError):
        other.acquire(place.claim("dag/one"))
    again = other.acquire(place.claim("dag/one"), after=("rolled_back",))
    assert again.token > raised.token
    other.end(again, "rolled_back")


def lets_who_wants_it_refuse(place: Place) -> None:
    """What `still` raises keeps the service free."""

    def no(_: object) -> None:
        raise ClaimLostError("somebody has had it since")

    with pytest.raises(ClaimLostError, match="somebody has had it"):
        place.claims().acquire(place.claim("dag/three"), still=no)
    place.claims().check("dag/four")
