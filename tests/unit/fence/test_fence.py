"""Taking a service, keeping others out, and letting it go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from glidepath.errors import ClaimLostError, SetupError
from glidepath.traffic import Routes, Split
from tests.support.apiserver import DEPLOYMENTS, MESH, SERVICE
from tests.support.installed import http_routes
from tests.support.meshed import Meshed
from tests.unit.traffic.world import CLAIM, KINDS, NEXT, OLD, VIRTUAL_SERVICE, RoutesInMemory


def test_taking_marks_every_object_and_changes_nothing_else(world: RoutesInMemory) -> None:
    before = world.found()["spec"]
    world.traffic.take(CLAIM)
    assert world.marks() == {("7", "held")}
    assert world.found()["spec"] == before
    version = world.traffic.read().resource_version
    world.traffic.take(CLAIM)
    assert world.traffic.read().resource_version == version


def test_taking_makes_a_helm_upgrade_with_other_weights_fail(taken: RoutesInMemory) -> None:
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 10)))
    status, answer = taken.helm({"v1": 50, "v2": 50})
    assert status == 409
    assert 'conflict with "glidepath": .spec.http' in answer["message"]
    assert taken.traffic.read().split == Split("v1", "v2", 10)
    assert taken.helm({"v1": 90, "v2": 10})[0] == 200


def test_taking_again_keeps_an_edit_that_came_in_between(world: RoutesInMemory) -> None:
    world.server.before("PATCH", VIRTUAL_SERVICE, lambda: world.edit(http_routes({"v1": 40, "v2": 60})))
    world.traffic.take(CLAIM)
    assert world.traffic.read().split == Split("v1", "v2", 60)
    assert world.traffic.read().token == 7


def test_an_old_claim_cannot_take(taken: RoutesInMemory) -> None:
    with pytest.raises(ClaimLostError, match="refused by the cluster"):
        taken.traffic.take(OLD)
    assert taken.marks() == {("7", "held")}


def test_an_old_claim_lowers_no_token_of_what_is_open(taken: RoutesInMemory) -> None:
    """Nothing fences it any more: a task of the last release but one that was stopped until now."""
    taken.traffic.open(CLAIM)
    for stale in (
        lambda: taken.traffic.take(OLD),
        lambda: taken.traffic.hold(OLD, "v1"),
        lambda: taken.traffic.let_go(OLD, "v1"),
        lambda: taken.traffic.open(OLD),
    ):
        with pytest.raises(ClaimLostError, match="carries token 7, this claim has 6"):
            stale()
        assert taken.marks() == {("7", "open")}


def test_an_old_claim_that_was_stopped_between_its_read_and_its_write_lowers_no_token(world: RoutesInMemory) -> None:
    def meanwhile() -> None:
        world.traffic.take(CLAIM)
        world.traffic.open(CLAIM)

    world.traffic.take(OLD)
    world.traffic.open(OLD)
    world.server.before("PATCH", f"{SERVICE}-v1", meanwhile)
    with pytest.raises(ClaimLostError, match="carries token 7, this claim has 6"):
        world.traffic.hold(OLD, "v1")
    assert world.marks() == {("7", "open")}


def test_a_version_whose_status_changes_meanwhile_is_held_all_the_same(world: RoutesInMemory) -> None:
    def status() -> None:
        world.server.objects[(DEPLOYMENTS, f"{SERVICE}-v1")]["metadata"]["resourceVersion"] += "1"

    for _ in range(4):
        world.server.before("PATCH", f"{SERVICE}-v1", status)
    world.traffic.hold(CLAIM, "v1")
    assert ("7", "held") in world.marks()


def test_what_is_gone_is_not_held(world: RoutesInMemory) -> None:
    world.traffic.hold(CLAIM, "v9")
    assert world.traffic.state().held == set()


def test_the_next_claim_can(taken: RoutesInMemory) -> None:
    taken.traffic.take(NEXT)
    assert taken.marks() == {("8", "held")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_held_object_refuses_who_has_no_token(taken: RoutesInMemory, kind: str) -> None:
    base = DEPLOYMENTS if kind == "deployments" else f"{MESH}/{kind}"
    path = f"{base}/{SERVICE}-v1" if kind == "deployments" else f"{base}/{SERVICE}"
    strip = {"metadata": {"annotations": {"glidepath.dev/token": None}}}
    assert taken.server.handle("PATCH", path, "application/merge-patch+json", strip)[0] == 422
    assert taken.server.handle("DELETE", path, "", None)[0] == 422
    assert taken.marks() == {("7", "held")}


def test_opening_lets_everything_pass_and_keeps_the_routes(taken: RoutesInMemory) -> None:
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 30)))
    taken.traffic.open(CLAIM)
    assert taken.marks() == {("7", "open")}
    state = taken.traffic.read()
    assert (state.split, state.held) == (Split("v1", "v2", 30), False)
    assert taken.server.handle("DELETE", f"{DEPLOYMENTS}/{SERVICE}-v2", "", None)[0] == 200


def test_opening_after_helm_has_the_final_weights_gives_the_routes_to_helm(taken: RoutesInMemory) -> None:
    taken.traffic.write(CLAIM, Routes(Split("v1", "v2", 30)))
    assert taken.helm({"v1": 70, "v2": 30})[0] == 200
    taken.traffic.open(CLAIM)
    assert taken.traffic.read().split == Split("v1", "v2", 30)
    assert taken.helm({"v1": 50, "v2": 50})[0] == 200
    assert taken.traffic.read().split == Split("v1", "v2", 50)


def test_opening_twice_changes_nothing(taken: RoutesInMemory) -> None:
    taken.traffic.open(CLAIM)
    version = taken.traffic.read().resource_version
    taken.traffic.open(CLAIM)
    assert taken.traffic.read().resource_version == version


def test_an_old_claim_cannot_open(taken: RoutesInMemory) -> None:
    with pytest.raises(ClaimLostError, match="carries token 7, this claim has 6: not opened"):
        taken.traffic.open(OLD)
    assert taken.marks() == {("7", "held")}


def test_one_version_can_be_let_go_and_held_again(taken: RoutesInMemory) -> None:
    taken.traffic.let_go(CLAIM, "v2")
    assert taken.server.find("deployments", f"{SERVICE}-v2")["metadata"]["annotations"]["glidepath.dev/state"] == "open"
    assert taken.server.find("deployments", f"{SERVICE}-v1")["metadata"]["annotations"]["glidepath.dev/state"] == "held"
    taken.traffic.hold(CLAIM, "v2")
    assert taken.marks() == {("7", "held")}
    with pytest.raises(ClaimLostError):
        taken.traffic.let_go(OLD, "v2")


def test_a_version_that_is_gone_needs_no_letting_go(taken: RoutesInMemory) -> None:
    before = taken.server.writes()
    taken.traffic.let_go(CLAIM, "v9")
    assert taken.server.writes() == before
    assert taken.traffic.state().versions == {"v1", "v2"}


@pytest.mark.parametrize(
    "act",
    [
        lambda traffic: traffic.write(CLAIM, Routes(Split("v1", "v2", 10))),
        lambda traffic: traffic.take(CLAIM),
        lambda traffic: traffic.open(CLAIM),
    ],
    ids=["shift", "take", "open"],
)
def test_an_answer_that_was_lost_is_written_again(
    taken: RoutesInMemory, monkeypatch: pytest.MonkeyPatch, act: Callable[[Meshed], Any]
) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    taken.server.lose("PATCH", VIRTUAL_SERVICE)
    act(taken.traffic)
    after = taken.found()
    act(taken.traffic)
    assert taken.found() == after


def annotate(world: RoutesInMemory, path: str, manager: str = "kubectl-annotate", **notes: str) -> int:
    """Write annotations as a person does; the API's status."""
    body = {"metadata": {"annotations": {f"glidepath.dev/{key}": value for key, value in notes.items()}}}
    return world.server.handle("PATCH", f"{path}?fieldManager={manager}", "application/merge-patch+json", body)[0]


@pytest.mark.parametrize("token", ["999999999999", "999999999999999"])
def test_no_token_of_a_persons_is_so_high_that_no_claim_could_go_on_from_it(taken: RoutesInMemory, token: str) -> None:
    passes = len(token) == 12
    assert annotate(taken, VIRTUAL_SERVICE, token=token) == (200 if passes else 422)
    higher = replace(CLAIM, token=max(CLAIM.token, taken.traffic.state().newest) + 1)
    taken.traffic.take(higher)
    taken.traffic.write(higher, Routes(Split("v1", None, 0)))
    assert taken.traffic.read().split == Split("v1", None, 0)


@pytest.mark.parametrize("token", ["99999999999999", "99999999999999999999", "٣", "-1", "many"])
def test_a_token_that_is_no_claims_keeps_nobody_from_writing_and_is_refused_by_plan(
    world: RoutesInMemory, token: str
) -> None:
    annotate(world, VIRTUAL_SERVICE, token=token)
    with pytest.raises(SetupError, match="expected a whole number of at most 13 digits; remove it"):
        world.traffic.read()
    if len(token) != 14:
        assert world.traffic.state().newest == 0
    world.traffic.take(replace(CLAIM, token=world.traffic.state().newest + 1))
    assert world.traffic.state().held


def test_a_number_of_upgrades_that_a_person_wrote_is_none(taken: RoutesInMemory) -> None:
    """Helm would meet it as a conflict at every upgrade, and the release could not end."""
    assert annotate(taken, VIRTUAL_SERVICE, "helm", write="4") == 200
    assert annotate(taken, f"{DEPLOYMENTS}/{SERVICE}-v1", write="999999999999999") == 200
    own = f"{DEPLOYMENTS}/{SERVICE}-v1"  # whose controller writes its status meanwhile
    taken.server.before("PATCH", own, lambda: annotate(taken, own, "kube-controller-manager", seen="1"))
    taken.traffic.free_writes()
    assert [status for method, path, status in taken.server.log if path.startswith(own) and status == 409] == [409]
    assert taken.traffic.state().write == 4
    left = {one["metadata"]["annotations"].get("glidepath.dev/write") for one in taken.server.all("deployments")}
    assert left == {None}


def test_an_apply_of_a_file_is_one_under_any_name(taken: RoutesInMemory) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    body = {"metadata": {"annotations": applied}, "spec": {"http": http_routes({"v2": 100})}}
    path = f"{VIRTUAL_SERVICE}?fieldManager=deployer"
    status, answer = taken.server.handle("PATCH", path, "application/merge-patch+json", body)
    assert status == 422
    assert "deployer applies a whole object without knowing of it" in answer["message"]


def test_a_held_object_keeps_the_label_by_which_it_is_fenced(taken: RoutesInMemory) -> None:
    status, answer = taken.server.handle(
        "PATCH", VIRTUAL_SERVICE, "application/merge-patch+json", {"metadata": {"labels": {"app": None}}}
    )
    assert status == 422
    assert "knows it by its label app" in answer["message"]
