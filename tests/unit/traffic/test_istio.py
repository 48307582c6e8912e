"""What the routes of a service say, and how they are changed."""

from __future__ import annotations

import pytest

from glidepath.errors import ClaimLostError, ClusterError, SetupError, TrafficDriftError, UnsupportedRoutesError
from glidepath.traffic import Mirror, Routes, Split
from tests.support.apiserver import SERVICE
from tests.support.fields import Object
from tests.support.installed import http_routes
from tests.unit.traffic.world import CLAIM, NEXT, OLD, VIRTUAL_SERVICE, RoutesInMemory


def test_reading_an_untouched_service(world: RoutesInMemory) -> None:
    state = world.traffic.read()
    assert state.split == Split("v1", "v2", 0)
    assert (state.token, state.held) == (0, False)
    assert state.edited_by.startswith("helm at 20")
    assert state.resource_version == world.found()["metadata"]["resourceVersion"]


def test_a_single_route_is_a_split_without_a_canary(world: RoutesInMemory) -> None:
    world.edit(http_routes({"v3": 100}))
    assert world.traffic.read().split == Split("v3", None, 0)
    world.edit([{"route": [{"destination": {"host": SERVICE, "subset": "v3"}}]}])
    assert world.traffic.read().split == Split("v3", None, 0)


@pytest.mark.parametrize(
    ("http", "words"),
    [
        ([], r"VirtualService shop/prices has no spec\.http"),
        (http_routes({"v1": 50, "v2": 30, "v3": 20}), r"routes to \['v1', 'v2', 'v3'\] with \[50, 30, 20\]"),
        (http_routes({"v1": 50, "v2": 30}), r"weights that sum to 100"),
        (http_routes({"": 100}), r"routes to \[''\]"),
        ([{"redirect": {"uri": "/"}}], r"routes to \[\]"),
        (http_routes({"v1": 90, "v2": 10}) + http_routes({"v1": 100, "v2": 0}), r"splits its routes differently: v1 "),
    ],
)
def test_what_is_no_split_is_called_drift(world: RoutesInMemory, http: list[Object], words: str) -> None:
    world.behind_its_back(http)  # a list that is empty Istio refuses
    with pytest.raises(TrafficDriftError, match=words):
        world.traffic.read()
    assert not world.traffic.all_on("v1")


def test_a_service_without_routes_is_a_preflight_error(world: RoutesInMemory) -> None:
    world.server.objects.clear()
    with pytest.raises(SetupError, match="VirtualService shop/prices does not exist, expected the one of the"):
        world.traffic.read()


def test_a_third_route_with_the_canarys_weight_is_its_baseline(world: RoutesInMemory) -> None:
    world.edit(http_routes({"v1": 60, "v2": 20, "v1-baseline": 20}))
    split = world.traffic.read().split
    assert split == Split("v1", "v2", 20, "v1-baseline")
    assert str(split) == "v1 60 %, v2 20 %, v1-baseline 20 %"


def test_a_baseline_comes_and_goes_with_the_weights(world: RoutesInMemory) -> None:
    world.traffic.take(CLAIM)
    world.traffic.write(CLAIM, Routes(Split("v1", "v2", 20, "v1-baseline")))
    route = world.found()["spec"]["http"][0]["route"]
    assert [one["weight"] for one in route] == [60, 20, 20]
    world.traffic.write(CLAIM, Routes(Split("v1", "v2", 0)))
    assert world.traffic.read().split == Split("v1", "v2", 0)
    assert world.traffic.all_on("v1")


@pytest.mark.parametrize("weight", [0, 51])
def test_a_baseline_needs_room_beside_the_canary(weight: int) -> None:
    with pytest.raises(ValueError, match="canary and baseline each: expected 1 to 50"):
        Split("v1", "v2", weight, "v1-baseline")


@pytest.mark.parametrize(
    ("weights", "version", "all_on"),
    [
        ({"v1": 100, "v2": 0}, "v1", True),
        ({"v1": 100}, "v1", True),
        ({"v1": 99, "v2": 1}, "v1", False),
        ({"v1": 0, "v2": 100}, "v1", False),
        ({"v2": 100}, "v1", False),
    ],
)
def test_all_traffic_on_a_version(world: RoutesInMemory, weights: dict[str, int], version: str, all_on: bool) -> None:
    world.edit(http_routes(weights))
    assert world.traffic.all_on(version) is all_on


def test_a_shift_is_read_back(taken: RoutesInMemory) -> None:
    state = taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 10)))
    assert state.split == Split("v1", "v2", 10)
    assert (state.token, state.held) == (7, True)
    assert state.edited_by.startswith("glidepath at 20")
    assert state == taken.traffic.read()


def test_a_shift_that_is_there_already_writes_nothing(taken: RoutesInMemory) -> None:
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 10)))
    before = taken.server.writes()
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 10)))
    assert taken.server.writes() == before


def test_a_shift_under_a_new_token_writes_the_token(taken: RoutesInMemory) -> None:
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 10)))
    assert taken.traffic.write(NEXT, Routes(Split("v1", "v2", 10))).token == 8


def test_a_shift_keeps_what_else_the_routes_say(taken: RoutesInMemory) -> None:
    match = [{"headers": {"x-tier": {"exact": "gold"}}}]
    routes = http_routes({"v1": 100, "v2": 0}, match=match, timeout="9s") + http_routes({"v1": 100, "v2": 0})
    taken.edit(routes)
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 25)))
    first, second = taken.found()["spec"]["http"]
    assert (first["match"], first["timeout"], first["retries"]) == (match, "9s", {"attempts": 0})
    assert second["timeout"] == "2s"
    for route in (first, second):
        assert [entry["weight"] for entry in route["route"]] == [75, 25]
        assert all(entry["destination"]["port"] == {"number": 8081} for entry in route["route"])


def test_a_shift_to_a_single_version_leaves_one_destination(taken: RoutesInMemory) -> None:
    taken.traffic.write(CLAIM, Routes(Split("v2", None, 0)))
    assert taken.found()["spec"]["http"] == http_routes({"v2": 100})


@pytest.mark.parametrize("http", [http_routes({"v1": 50, "v2": 30, "v3": 20}), [], [{"timeout": "2s"}]])
def test_a_shift_puts_drift_right(taken: RoutesInMemory, http: list[Object]) -> None:
    taken.behind_its_back(http)
    assert taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 0))).split == Split("v1", "v2", 0)


def test_a_lower_token_is_refused_before_anything_is_written(taken: RoutesInMemory) -> None:
    before = taken.server.writes()
    with pytest.raises(ClaimLostError, match="carries token 7, this claim has 6: not written"):
        taken.traffic.write(OLD, Routes(Split("v1", "v2", 50)))
    assert taken.server.writes() == before


def test_a_token_that_grows_between_reading_and_writing_is_respected(taken: RoutesInMemory) -> None:
    taken.server.before("PATCH", VIRTUAL_SERVICE, lambda: taken.traffic.write(NEXT, Routes(Split("v1", "v2", 5))))
    with pytest.raises(ClaimLostError, match="carries token 8, this claim has 7"):
        taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 50)))
    assert taken.traffic.read().split == Split("v1", "v2", 5)


def test_an_edit_between_reading_and_writing_is_shifted_over(taken: RoutesInMemory) -> None:
    match = [{"uri": {"prefix": "/predict"}}]
    taken.server.before("PATCH", VIRTUAL_SERVICE, lambda: taken.edit(http_routes({"v1": 1, "v2": 99}, match=match)))
    assert taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 50))).split == Split("v1", "v2", 50)
    assert taken.found()["spec"]["http"][0]["match"] == match


def test_two_edits_in_a_row_are_theirs_to_explain(taken: RoutesInMemory) -> None:
    for weight in (98, 99):
        weights = {"v1": 100 - weight, "v2": weight}
        taken.server.before(
            "PATCH", VIRTUAL_SERVICE, lambda weights=weights: taken.behind_its_back(http_routes(weights))
        )  # type: ignore[misc]
    with pytest.raises(ClusterError) as caught:
        taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 50)))
    assert caught.value.status == 409


def test_what_reads_back_otherwise_is_drift(taken: RoutesInMemory) -> None:
    def after_the_write() -> None:
        taken.server.before("GET", VIRTUAL_SERVICE, lambda: taken.edit(http_routes({"v1": 30, "v2": 70})))

    taken.server.before("PATCH", VIRTUAL_SERVICE, after_the_write)
    with pytest.raises(
        TrafficDriftError, match=r"reads v1 30 %, v2 70 % after v1 50 %, v2 50 % was written; by client at 20"
    ):
        taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 50)))


@pytest.mark.parametrize(("canary", "weight"), [("v2", -1), ("v2", 101), (None, 1)])
def test_a_split_that_cannot_be_is_refused(canary: str | None, weight: int) -> None:
    with pytest.raises(ValueError, match=f"a split of {weight} % for canary"):
        Split("v1", canary, weight)


def test_a_split_reads_as_words() -> None:
    assert str(Split("v1", "v2", 30)) == "v1 70 %, v2 30 %"
    assert str(Split("v1", None, 0)) == "v1 100 %"


def test_what_it_cannot_write_it_refuses_by_name(taken: RoutesInMemory) -> None:
    writes = len(taken.server.writes())
    with pytest.raises(UnsupportedRoutesError, match=r"copies of 10 % to v2, expected weights alone") as refused:
        taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 5), Mirror("v2", 10)))
    assert "nothing was written" in str(refused.value)
    assert len(taken.server.writes()) == writes
