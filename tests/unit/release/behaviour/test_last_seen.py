"""The pods of a canary that goes back are looked at a last time, before Helm removes them."""

from __future__ import annotations

import pytest

from glidepath.release import brake
from glidepath.release.events import LastSeen
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.releases import crashing
from tests.support.stage import Stage
from tests.unit.release.tasks.test_tasks import UP_TO_WEIGHT, do


def test_its_pods_are_looked_at_a_last_time(stage: Stage) -> None:
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    crashing(stage.server, "v2")
    crashing(stage.server, "v1")
    brake.take_back(run, "errors")
    do(run, rollback, rollback)
    [seen] = [one for one in run.journal.entries() if isinstance(one, LastSeen)]
    [pod] = seen.pods
    assert (seen.version, pod["name"], seen.missing) == ("v2", "prices-v2-7d9f", "")
    assert pod["containers"][0]["log"][0] == "loading prices"
    assert "prices-v2-7d9f app | loading prices" in stage.said
    assert any("ended before: OOMKilled, exit code 137, 1 restarts" in line for line in stage.said)


@pytest.mark.parametrize("part", ["/log", "/pods", "/events"])
def test_what_can_not_be_seen_of_them_keeps_nobody_waiting(stage: Stage, part: str) -> None:
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    crashing(stage.server, "v2")
    brake.take_back(run, "errors")
    stage.server.fail("GET", part, 403, times=99, text="may not")
    do(run, rollback, settle, finish)
    assert stage.at_rest("v1")
    assert any("not all of its pods could be looked at a last time" in line for line in stage.said)


def test_no_line_of_a_log_is_kept_if_the_policy_says_so(stage: Stage) -> None:
    run = stage.run(policy="last_logs: 0\n")
    do(run, *UP_TO_WEIGHT)
    crashing(stage.server, "v2")
    brake.take_back(run, "errors")
    do(run, rollback)
    assert not any("loading prices" in line for line in stage.said)
    assert not any(path.endswith("/log") for _, path, _ in stage.server.log)
