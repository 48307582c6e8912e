"""The brake against tokens that no claim gave: written by hand, or left by a Lease that is gone."""

from __future__ import annotations

import pytest

from glidepath.claim.state import WATCHDOG
from glidepath.errors import ClaimLostError, PreflightError
from glidepath.release import brake
from glidepath.release.holding import has_claim
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.apiserver import DEPLOYMENTS, MESH, SERVICE
from tests.support.guards import started
from tests.support.stage import Stage
from tests.unit.release.tasks.test_tasks import UP_TO_WEIGHT, do

ROUTES = f"{MESH}/virtualservices/{SERVICE}"


def write_token(stage: Stage, path: str, token: str, note: str = "token") -> None:
    """As `kubectl annotate` does; the fence lets a higher one pass."""
    body = {"metadata": {"annotations": {f"glidepath.dev/{note}": token}}}
    assert stage.server.handle("PATCH", path, "application/merge-patch+json", body)[0] == 200


@pytest.mark.parametrize("path", [ROUTES, f"{DEPLOYMENTS}/{SERVICE}-v2"], ids=["routes", "canary"])
@pytest.mark.parametrize(
    ("note", "number"), [("token", "70"), ("token", "999999999999"), ("write", "1"), ("write", "999999999999999")]
)
def test_a_number_written_by_hand_keeps_nobody_from_the_way_back(
    stage: Stage, path: str, note: str, number: str
) -> None:
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    write_token(stage, path, number, note)
    do(run, rollback, settle, finish)
    assert stage.at_rest("v1"), stage.written()


def test_the_guard_brakes_with_a_token_above_it(stage: Stage) -> None:
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    write_token(stage, ROUTES, "70")
    brake.take_back(run, "harm")
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert run.claim.token == 71
    assert any("carries token 70" in line and "goes on with token 71" in line for line in stage.said)


def test_a_good_version_goes_on_above_it_and_its_guard_knows_the_claim(stage: Stage) -> None:
    run, guard = started(stage)
    write_token(stage, ROUTES, "70")
    assert has_claim(run, again=False)
    assert run.claim.token == 71
    for _ in range(30):
        stage.traffic()
        guard.tick()
    assert run.journal.fate() is None
    assert stage.weights()["v2"] > 0


def test_a_higher_token_of_another_holder_is_respected(stage: Stage) -> None:
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    old, before = run.claim.token, stage.weights()
    state = stage.ports().claims.read()
    assert state is not None
    token = stage.ports().claims.take_over(state, WATCHDOG, 60)
    write_token(stage, ROUTES, str(token))
    with pytest.raises(ClaimLostError, match="held by glidepath-watchdog"):
        brake.brake(run, "late")
    assert stage.weights() == before
    assert run.claim.token == old


def test_a_token_that_is_no_number_is_refused_before_anything_is_touched(stage: Stage) -> None:
    write_token(stage, ROUTES, "many")
    before = stage.written()
    with pytest.raises(PreflightError, match=r"glidepath.dev/token='many', expected a whole number"):
        stage.run()
    assert stage.written() == before
