"""A call to the cluster that fails, anywhere in a release: its task is tried again, and all ends well."""

from __future__ import annotations

import pytest

from glidepath.errors import GlidepathError, ReleaseTakenBack
from glidepath.release import brake
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.traffic import Split
from tests.support.stage import Stage
from tests.support.tasks import GOOD

CALLS = [
    ("GET", "virtualservices"),
    ("PATCH", "virtualservices"),
    ("GET", "leases"),
    ("PATCH", "leases"),
    ("GET", "deployments"),
]


@pytest.mark.parametrize(("method", "part"), CALLS)
@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
def test_a_call_that_fails_anywhere_is_mended_by_the_next_try(stage: Stage, method: str, part: str, bad: bool) -> None:
    """Before each task its first calls of one kind fail for good; the task fails or not, is tried again, and all ends well."""
    run = stage.run()
    endings_of = (rollback, settle, finish) if bad else GOOD[4:]
    for action in (*GOOD[:4], *endings_of):
        if bad and action is rollback:
            brake.note_taken_back(run, "harm")
        for failed in range(3):
            stage.server.fail(method, f"/{part}", 403, times=1 if failed < 2 else 0)
            try:
                action(run)
            except ReleaseTakenBack:
                break
            except GlidepathError:
                continue
            finally:
                stage.server.heal()
    assert stage.at_rest("v1" if bad else "v2")
    assert run.ports.traffic.read().split == Split("v1" if bad else "v2", None, 0)
