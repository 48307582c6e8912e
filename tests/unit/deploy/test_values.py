"""The chart's values in each situation of a release."""

from __future__ import annotations

import copy

from glidepath.deploy import values as chart

DEFAULTS = {"roles": {"stable": "v1", "canary": ""}, "replicas": {"stable": 3, "canary": 1}, "versions": {}}


def test_a_canary_changes_roles_split_and_token_and_nothing_else() -> None:
    given = {"image": {"repository": "r"}, "istio": {"hosts": ["h"]}, "versions": {"v1": {"tag": "1.0"}}}
    before = copy.deepcopy(given)
    new = chart.with_canary(given, "v1", "v2", 20, 7)
    assert given == before
    assert new == {
        "image": {"repository": "r"},
        "versions": {"v1": {"tag": "1.0"}},
        "roles": {"stable": "v1", "canary": "v2"},
        "istio": {"hosts": ["h"], "trafficSplit": {"stable": 80, "canary": 20}},
        "release": {"token": "7"},
    }


def test_replicas_for_the_canary_go_and_leave_no_trace() -> None:
    scaled = chart.with_canary({}, "v1", "v2", 50, 7, replicas=3)
    assert scaled["versions"] == {"v2": {"replicas": 3}}
    assert chart.without_replicas(scaled, "v2")["versions"] == {}
    kept = chart.without_replicas({"versions": {"v2": {"replicas": 3, "tag": "t"}}}, "v2")
    assert kept == {"versions": {"v2": {"tag": "t"}}}


def test_roles_and_replicas_are_read_from_effective_values() -> None:
    assert chart.roles(DEFAULTS) == ("v1", None)
    assert chart.roles({"roles": {"stable": "v1", "canary": "v2"}}) == ("v1", "v2")
    assert chart.stable_replicas(DEFAULTS) == 3
    assert chart.stable_replicas(DEFAULTS | {"versions": {"v1": {"replicas": 9}}}) == 9


def test_without_a_canary_its_role_is_empty() -> None:
    new = chart.with_canary({"roles": {"stable": "v1", "canary": "v2"}}, "v1", None, 0, 8)
    assert new["roles"] == {"stable": "v1", "canary": ""}
    assert new["istio"]["trafficSplit"] == {"stable": 100, "canary": 0}


def test_a_baseline_is_a_third_role_with_the_canarys_weight_and_replicas() -> None:
    new = chart.with_canary({}, "v1", "v2", 20, 7, replicas=2, baseline="v1-baseline")
    assert new["roles"] == {"stable": "v1", "canary": "v2", "baseline": "v1-baseline"}
    assert new["istio"]["trafficSplit"] == {"stable": 60, "canary": 20, "baseline": 20}
    assert new["versions"] == {"v2": {"replicas": 2}, "v1-baseline": {"replicas": 2}}
    gone = chart.with_canary(new, "v1", "v2", 20, 7)
    assert gone["roles"] == {"stable": "v1", "canary": "v2"}
    assert gone["istio"]["trafficSplit"] == {"stable": 80, "canary": 20}
