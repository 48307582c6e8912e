"""The Event a brake leaves."""

from __future__ import annotations

import pytest

from glidepath.claim import Claim
from glidepath.errors import ClusterError
from glidepath.kube import Objects
from glidepath.watchdog.events import abandoned
from tests.support.apiserver import NAMESPACE, SERVICE
from tests.unit.watchdog.world import Abandoned

CLAIM = Claim(NAMESPACE, SERVICE, "glidepath-watchdog", 8, "v1", "v2", 60.0)
ROUTES = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "namespace": NAMESPACE, "name": SERVICE}


def test_writing_it_again_leaves_the_first(world: Abandoned) -> None:
    objects = Objects(world.server.api(), NAMESPACE)
    abandoned(objects, CLAIM, ROUTES, "first", world.wall)
    abandoned(objects, CLAIM, ROUTES, "second", world.wall + 60)
    [event] = world.server.all("events")
    assert (event["message"], event["firstTimestamp"]) == ("first", "2027-01-15T08:00:00Z")


def test_a_long_message_is_cut_to_what_the_api_takes(world: Abandoned) -> None:
    abandoned(Objects(world.server.api(), NAMESPACE), CLAIM, ROUTES, "x" * 2000, world.wall)
    assert world.server.all("events")[0]["message"] == "x" * 1024


def test_without_a_virtual_service_it_has_no_uid(world: Abandoned) -> None:
    world.server.objects.clear()
    abandoned(Objects(world.server.api(), NAMESPACE), CLAIM, ROUTES, "gone", world.wall)
    assert "uid" not in world.server.all("events")[0]["involvedObject"]


def test_a_refusal_is_passed_on(world: Abandoned) -> None:
    world.server.fail("POST", "events", 403)
    with pytest.raises(ClusterError, match="answered 403"):
        abandoned(Objects(world.server.api(), NAMESPACE), CLAIM, ROUTES, "no", world.wall)
