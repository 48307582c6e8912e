"""Selectors as the API evaluates them: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.informers.selectors import matching, one_label


def found(name: str = "a", **labels: str) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        ("", {}, True),
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "web"}, True),
        ("app=web", {"app": "db"}, False),
        ("app=web", {}, False),
        ("app=", {"app": ""}, True),
        ("app=", {}, False),
        ("app!=web", {"app": "db"}, True),
        ("app!=web", {}, True),
        ("app!=web", {"app": "web"}, False),
        ("app", {"app": "web"}, True),
        ("app", {}, False),
        ("!app", {}, True),
        ("!app", {"app": "web"}, False),
        ("app=web, tier!=back", {"app": "web", "tier": "front"}, True),
        ("app=web,tier!=back", {"app": "web", "tier": "back"}, False),
    ],
)
def test_a_selector_of_labels(selector: str, labels: dict[str, str], selected: bool) -> None:
    matches = matching(selector)
    assert matches is not None
    assert matches(found(**labels)) is selected


def test_an_object_without_labels() -> None:
    matches = matching("!app")
    assert matches is not None
    assert matches({"metadata": {"name": "a"}})


@pytest.mark.parametrize("selector", ["app in (web,db)", "app notin (web)", "tier=a,app in (web)"])
def test_a_set_is_left_to_the_server(selector: str) -> None:
    assert matching(selector) is None


@pytest.mark.parametrize(
    "fields", ["spec.type=ClusterIP", "metadata.name!=a", "metadata.name=a,involvedObject.kind=Pod"]
)
def test_a_field_other_than_the_name_is_left_to_the_server(fields: str) -> None:
    assert matching("", fields) is None


def test_a_name_is_a_field() -> None:
    matches = matching("app=web", "metadata.name=a")
    assert matches is not None
    assert matches(found("a", app="web"))
    assert not matches(found("b", app="web"))
    assert not matches(found("a"))


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"))


@given(LABELS, LABELS)
def test_equality_is_inclusion(wanted: dict[str, str], labels: dict[str, str]) -> None:
    matches = matching(",".join(f"{key}={value}" for key, value in wanted.items()))
    assert matches is not None
    assert matches(found(**labels)) is (wanted.items() <= labels.items())


@pytest.mark.parametrize(
    ("selector", "label"),
    [
        ("owner=helm,name=shop", ("name", "shop")),
        ("name == shop, tier!=back", ("name", "shop")),
        ("app", None),
        ("!app,tier!=back", None),
        ("", None),
    ],
)
def test_a_label_that_is_asked_for(selector: str, label: tuple[str, str] | None) -> None:
    assert one_label(selector) == label
