"""What keeps callers from a version's pods beside the weights: the Service's selector, and subsets of whatever rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glidepath.errors import PreflightError
from glidepath.release.events import Pods
from tests.support.apiserver import MESH, SERVICE, SERVICES
from tests.support.fields import Object
from tests.support.guards import started, ticks
from tests.support.stage import Stage

RULES = f"{MESH}/destinationrules"
LONG_AGO = "2020-01-01T00:00:00Z"


def merged(stage: Stage, base: str, name: str, spec: Object) -> None:
    """A person's `kubectl patch`: it keeps the annotations."""
    path = f"{base}/{name}?fieldManager=a-person"
    status, answer = stage.server.handle("PATCH", path, "application/merge-patch+json", {"spec": spec})
    assert status == 200, answer


def another(stage: Stage, name: str, at: str = LONG_AGO, **spec: object) -> None:
    """Another DestinationRule of the service's host, made at a time."""
    rule = {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": name}}
    stage.server.put(RULES, rule | {"spec": {"host": SERVICE, **spec}}, "a-team")
    stage.server.objects[RULES, name]["metadata"]["creationTimestamp"] = at


def subset(version: str, **more: object) -> Object:
    return {"name": version, "labels": {"version": version}} | more


def one_label_more(stage: Stage) -> None:
    extra = {"name": "v1", "labels": {"version": "v1", "tier": "gold"}}
    merged(stage, RULES, SERVICE, {"subsets": [extra, subset("v2")]})


def older_subset(stage: Stage) -> None:
    another(stage, "old", subsets=[{"name": "v2", "labels": {"version": "v2", "tier": "gold"}}])


def older_misleads(stage: Stage) -> None:
    another(
        stage, "old", host=f"{SERVICE}.shop.svc.cluster.local", subsets=[{"name": "v1", "labels": {"version": "v2"}}]
    )


def selector_of_nobody(stage: Stage) -> None:
    merged(stage, SERVICES, SERVICE, {"selector": {"app": "other"}})


def selector_of_stable(stage: Stage) -> None:
    merged(stage, SERVICES, SERVICE, {"selector": {"app": SERVICE, "version": "v1"}})


def choked_subset(stage: Stage) -> None:
    policy = {"connectionPool": {"http": {"http1MaxPendingRequests": 1}}}
    merged(stage, RULES, SERVICE, {"subsets": [subset("v1", trafficPolicy=policy), subset("v2")]})


def hidden_rule(stage: Stage) -> None:
    merged(stage, RULES, SERVICE, {"exportTo": ["."]})


def choked_host(stage: Stage) -> None:
    another(stage, "young", "2999-01-01T00:00:00Z", trafficPolicy={"outlierDetection": {"consecutive5xxErrors": 1}})


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (one_label_more, "no subset that leads to v1; written by a-person"),
        (older_subset, "subset v2 of the older DestinationRule old is in force, and leads to pods with tier=gold,version=v2"),
        (older_misleads, "subset v1 of the older DestinationRule old is in force, and leads to pods with version=v2"),
        (selector_of_nobody, "the Service selects app=other, which pods of v1, v2 are not; written by a-person"),
        (selector_of_stable, "the Service selects app=prices,version=v1, which pods of v2 are not; written by a-person"),
        (choked_subset, "the traffic policy by which callers are led to v1 was changed; DestinationRule prices was written"),
        (hidden_rule, "the traffic policy by which callers are led to v1 was changed; DestinationRule prices was written"),
        (choked_host, "the traffic policy by which callers are led to v1 was changed"),
    ],
)  # fmt: skip
def test_what_leads_callers_elsewhere_is_drift(stage: Stage, act: Callable[[Stage], None], words: str) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    assert run.journal.fate() is None
    act(stage)
    ticks(stage, guard, 1)
    now = run.journal.fate()
    assert now is not None
    assert words in now.reason
    assert stage.weights()["v2"] == 0


def test_what_leads_nobody_elsewhere_is_none(stage: Stage) -> None:
    run, guard = started(stage)
    another(stage, "young", "2999-01-01T00:00:00Z", subsets=[{"name": "v2", "labels": {"version": "v9"}}])
    another(stage, "of-some", workloadSelector={"matchLabels": {"app": "shop"}}, subsets=[subset("v1")])
    another(stage, "of-another", host="other", subsets=[{"name": "v1", "labels": {}}])
    another(stage, "of-all", host="*.shop.svc.cluster.local", trafficPolicy={"tls": {"mode": "DISABLE"}})
    merged(stage, SERVICES, SERVICE, {"selector": {"app": SERVICE}, "sessionAffinity": "ClientIP"})
    ticks(stage, guard, 2)
    assert run.journal.fate() is None


@pytest.mark.parametrize("status", [403, 404])
def test_a_service_that_may_not_be_read_or_is_none_is_no_drift(stage: Stage, status: int) -> None:
    stage.server.fail("GET", f"/shop/services/{SERVICE}", status, times=100)
    run, guard = started(stage)
    ticks(stage, guard, 2)
    assert run.journal.fate() is None


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (one_label_more, "subset v1 of DestinationRule prices leads to pods with tier=gold,version=v1, written by a-person"),
        (older_subset, "subset v2 of DestinationRule old leads to pods with tier=gold,version=v2, written by a-team"),
        (selector_of_stable, "the Service prices selects app=prices,version=v1, written by a-person at .*: pods of v2 are none"),
    ],
)  # fmt: skip
def test_plan_refuses_what_would_keep_callers_from_the_new_version(
    stage: Stage, act: Callable[[Stage], None], words: str
) -> None:
    act(stage)
    with pytest.raises(PreflightError, match=words) as caught:
        stage.run()
    assert "nothing was touched" in str(caught.value)


def test_plan_names_other_rules_of_the_host(stage: Stage) -> None:
    another(stage, "of-some", workloadSelector={"matchLabels": {"app": "shop"}})
    another(stage, "of-another", host="other")
    stage.run()
    told = [one for one in stage.said if "DestinationRule" in one]
    assert told == [
        "plan: WARNING: DestinationRule shop/of-some (for some callers only) is for prices, too: whoever goes by it alone has "
        "only its subsets, and Istio merges it into the release's otherwise"
    ]


def test_a_release_that_was_deployed_by_older_code_has_no_policies_to_compare_with(stage: Stage) -> None:
    run, guard = started(stage)
    noted = run.journal.pods()
    assert noted is not None
    stage.record.add_event(run.id, Pods.kind, {"versions": noted.versions}, stage.clock)
    choked_host(stage)
    ticks(stage, guard, 1)
    assert run.journal.fate() is None
