"""A version's values in its chart's own words."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.deploy.mapped import Mapped, value_at, with_value
from glidepath.policy import Image
from glidepath.policy.helm import ValuePaths

DIGEST = "sha256:" + "0123456789abcdef" * 4
PATHS = st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3}){0,3}", fullmatch=True)
VALUES = st.recursive(st.integers() | st.text(), lambda below: st.dictionaries(st.text("abc", max_size=3), below))


def mapped(given: dict[str, Any] | None = None, **paths: Any) -> Mapped:
    return Mapped("shop", given or {}, ValuePaths(**paths))


def test_the_version_that_is_released_has_the_policys_values_its_name_its_image_and_its_replicas() -> None:
    given = {"image": {"repository": "r/shop"}, "port": 9090}
    assert mapped(given).released("1-4-2", Image("1.4.2"), 3) == {
        "image": {"repository": "r/shop", "tag": "1.4.2"},
        "port": 9090,
        "fullnameOverride": "shop-1-4-2",
        "replicaCount": 3,
    }
    assert given == {"image": {"repository": "r/shop"}, "port": 9090}


def test_a_name_that_says_the_tag_is_the_tag() -> None:
    assert mapped().released("v2", Image(), 1)["image"] == {"tag": "v2"}


def test_a_chart_that_is_released_says_the_image() -> None:
    own = Mapped("shop", {"image": {"repository": "r/shop"}}, ValuePaths(), by_chart=True)
    assert own.released("1-4-2", Image("1.4.2"), 1)["image"] == {"repository": "r/shop"}


def test_a_digest_goes_where_the_chart_takes_one() -> None:
    made = mapped(digest="image.sha").released("sha256-0123456789ab", Image(digest=DIGEST), 1)
    assert made["image"] == {"sha": DIGEST}


def test_where_an_autoscaler_has_the_replicas_none_are_said() -> None:
    port = mapped(replicas=None)
    assert set(port.released("v2", Image(), 3)) == {"fullnameOverride", "image"}
    assert port.replicas({"replicaCount": 3}) is None


@pytest.mark.parametrize(
    ("values", "count"),
    [({"replicaCount": 3}, 3), ({}, None), ({"replicaCount": "3"}, None), ({"replicaCount": True}, None)],
)
def test_replicas_are_read_where_they_are_a_number(values: dict[str, Any], count: int | None) -> None:
    assert mapped().replicas(values) == count


def test_a_baseline_has_the_stable_versions_values_under_its_own_name() -> None:
    stable = {"fullnameOverride": "shop-v1", "image": {"tag": "v1"}, "replicaCount": 5}
    made = mapped({"image": {"repository": "of-v2"}}).named(stable, "v1-baseline", 1)
    assert made == {"fullnameOverride": "shop-v1-baseline", "image": {"tag": "v1"}, "replicaCount": 1}


@given(st.dictionaries(st.text("abc", max_size=3), VALUES), PATHS, st.integers())
def test_what_is_put_at_a_path_is_found_there_and_nothing_is_written_to(
    values: dict[str, Any], path: str, value: int
) -> None:
    before = copy.deepcopy(values)
    assert value_at(with_value(values, path, value), path) == value
    assert values == before
