"""Any tag or digest of an image is a version; its name is one that Kubernetes, Istio and the chart take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glidepath.errors import PolicyError
from glidepath.policy import VERSION, Image, for_run, image_of, name_of
from glidepath.policy.fields import NAME
from glidepath.policy.load import parse_policy

MINIMAL = "service: prices\nnamespace: shop\nhelm: {release: app}\nsteps: [{weight: 50}]\n"
DIGEST = "sha256:" + "0123456789abcdef" * 4
SHA = "9f2c1d7be0a4c55e8f7d3b2a190cc4d6e5f80a1b"
VERSIONS = st.from_regex(VERSION, fullmatch=True)


@pytest.mark.parametrize(
    ("version", "name", "image"),
    [
        ("v2", "v2", Image()),
        ("2024-11-27", "2024-11-27", Image()),
        (SHA, SHA, Image()),
        ("1.4.2", "1-4-2", Image("1.4.2")),
        ("v1.4.2", "v1-4-2", Image("v1.4.2")),
        (DIGEST, "sha256-0123456789ab", Image(digest=DIGEST)),
    ],
)
def test_a_version_has_its_plain_name(version: str, name: str, image: Image) -> None:
    assert (name_of(version), image_of(version)) == (name, image)


@pytest.mark.parametrize("version", ["2024.11.27-rc.1+build", "Feature_X", "a" * 128, "v1..2", "_", "1.4.2-", "1_4_2"])
def test_what_a_name_can_not_bear_is_told_apart(version: str) -> None:
    plain = re.sub(r"[^a-z0-9]+", "-", version.lower()).strip("-")
    assert re.fullmatch(rf"{re.escape(plain[:54].rstrip('-')) or 'v'}-[0-9a-f]{{8}}", name_of(version))
    assert image_of(version).tag == version.replace("+", "_")


@given(VERSIONS)
@example("a" * 63)
@example("a" * 64)
def test_every_version_has_a_name(version: str) -> None:
    name = name_of(version)
    assert re.match(NAME, name)
    assert name_of(name) == name
    tag = image_of(version)
    assert (tag == Image()) == (name == version)


@given(VERSIONS, VERSIONS)
@example("1.4.2", "1_4_2")
@example("1.4.2", "1..4.2")
@example("Abc", "abc")
@example(SHA, SHA[:-1] + "c")
def test_two_versions_have_one_name_only_where_dots_are_dashes(one: str, other: str) -> None:
    if name_of(one) == name_of(other) and not one.startswith("sha256:"):
        assert one.replace(".", "-") == other.replace(".", "-")


def test_a_run_takes_it_and_freezes_name_and_image() -> None:
    policy = parse_policy(MINIMAL + "version: 1.4.2\n", "p.yaml", Path("/checkout"))
    spec = for_run(policy, {})
    assert (spec.version, spec.image) == ("1-4-2", Image("1.4.2"))
    assert type(spec).from_dict(spec.to_dict()) == spec
    assert for_run(policy, {"version": DIGEST}).image == Image(digest=DIGEST)
    old = {key: value for key, value in spec.to_dict().items() if key not in ("tag", "digest")}
    assert type(spec).from_dict(old).image == Image()


@pytest.mark.parametrize("version", ["", "-1", "a b", "v1/2", "sha256:12", "a" * 129, ".", "v1\n", "{{x}}", "é"])
def test_what_is_no_tag_is_refused(version: str) -> None:
    policy = parse_policy(MINIMAL, "p.yaml", Path("/checkout"))
    with pytest.raises(PolicyError, match="version"):
        for_run(policy, {"version": version})
