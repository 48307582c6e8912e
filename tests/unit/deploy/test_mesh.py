"""What charts render for the mesh: weights in their values, routes and ways as they are live."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.deploy.mesh import shares_of, splits_alike, ways_as_live, with_shares


def entry(v2: int, match: str = "") -> dict[str, Any]:
    """An entry of routes that gives v2 so many percent."""
    route = [
        {"destination": {"host": "shop", "subset": "v1"}, "weight": 100 - v2},
        {"destination": {"host": "shop", "subset": "v2"}, "weight": v2},
    ]
    return {"route": route, **({"match": [{"uri": {"prefix": match}}]} if match else {})}


def test_other_shares_leave_what_else_the_values_say() -> None:
    values = {"istio": {"hosts": ["shop.example"], "trafficSplit": {"stable": 100}}, "image": "shop"}
    new = with_shares(values, {"stable": 80, "canary": 20})
    assert new == {
        "istio": {"hosts": ["shop.example"], "trafficSplit": {"stable": 80, "canary": 20}}, "image": "shop",
    }  # fmt: skip
    assert (shares_of(new), shares_of(values)) == ({"stable": 80, "canary": 20}, {"stable": 100})


@pytest.mark.parametrize("values", [{}, {"istio": None}])
def test_values_that_say_none_get_some(values: dict[str, Any]) -> None:
    assert shares_of(with_shares(values, {"stable": 100})) == {"stable": 100}


@pytest.mark.parametrize(
    ("now", "alike"),
    [
        ([entry(20)], True),
        ([entry(30)], False),
        ([entry(20), entry(50, "/theirs")], True),
        ([entry(50, "/theirs")], True),
        ([{**entry(20), "timeout": "9s"}], True),
        ([], True),
    ],
)
def test_entries_that_were_rendered_have_to_split_as_rendered(now: list[dict[str, Any]], alike: bool) -> None:
    assert splits_alike([entry(20)], now) is alike


def test_a_way_that_leads_elsewhere_is_rendered_anew() -> None:
    ways = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")]
    tuned, astray = {**ways[0], "trafficPolicy": {}}, {"name": "v2", "labels": {"version": "v9"}}
    assert ways_as_live(ways, [tuned, astray, {"name": "theirs"}]) == [tuned, ways[1]]
