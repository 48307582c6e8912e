"""Names of a version's objects: valid, and two for two versions, however long the service's and the version's are."""

from __future__ import annotations

import re

from hypothesis import assume, example, given
from hypothesis import strategies as st

from glidepath.evidence.source import patterns_of_pods
from glidepath.naming import LABEL, LONGEST, shortened, workload_name
from glidepath.policy import VERSION, name_of
from glidepath.policy.fields import NAME
from glidepath.release.run import baseline_of

SERVICES = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(VERSION, fullmatch=True).map(name_of)
# Versions that share a long beginning, such as tags of one branch.
ALIKE = st.tuples(st.from_regex(r"[a-z][a-z0-9-]{30,53}", fullmatch=True), VERSIONS).map(
    lambda two: name_of("".join(two))
)
EITHER = VERSIONS | ALIKE
LONG = "s" * LABEL
# What Helm takes as the name of a release, and where Kubernetes cuts what is before the last part of a pod's name.
HELM, CUT = 53, 58
# What Kubernetes writes hashes with.
HASHES = st.text("bcdfghjklmnpqrstvwxz2456789", min_size=1, max_size=10)
LAST = st.text("bcdfghjklmnpqrstvwxz2456789", min_size=5, max_size=5)


@given(SERVICES, EITHER)
@example(LONG, "v1")
@example("shop", "v" * LABEL)
def test_a_version_has_a_name_that_kubernetes_and_helm_take(service: str, version: str) -> None:
    name = workload_name(service, version)
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= min(LONGEST, HELM)
    # The label controller-revision-hash of a StatefulSet's pods, and what KEDA makes of it.
    assert len(f"{name}-0123456789") <= LABEL
    assert len(f"keda-hpa-{name}") <= LABEL
    assert name == f"{service}-{version}" or len(f"{service}-{version}") >= LONGEST


@given(SERVICES, EITHER, EITHER)
@example(LONG, "v1", "v2")
@example("shop", "v" * 60 + "a", "v" * 60 + "b")
@example("shop", "v" * 60, shortened("shop-" + "v" * 60, LONGEST).removeprefix("shop-"))
def test_two_versions_have_two_names(service: str, one: str, other: str) -> None:
    assume(one != other)
    assert workload_name(service, one) != workload_name(service, other)
    assert baseline_of(one) != baseline_of(other)


@given(EITHER)
@example("v" * LABEL)
def test_a_baseline_is_a_version_of_another_name(version: str) -> None:
    name = baseline_of(version)
    assert re.match(NAME, name)
    assert name != version
    assert name.endswith("-baseline")


def of_deployment(name: str, template: str, last: str) -> str:
    """A pod's name as Kubernetes makes it of a ReplicaSet's."""
    return f"{name}-{template}-"[:CUT] + last


@given(SERVICES, EITHER, EITHER, HASHES, LAST, st.integers(0, 9999))
@example("shop", "1-4", "1-4-1", "5d4f", "x2k9q", 0)
@example("shop", "v1", "v1-baseline", "5d4f", "x2k9q", 0)
@example("s" * 40, "1-4", "1-4-1", "6c4f9d8b71", "x2k9q", 0)
@example("s" * 40, "1234567", "1234567-1", "6c4f9d8b71", "x2k9q", 3)
def test_pods_are_those_of_their_version_and_of_no_other(
    service: str, one: str, other: str, template: str, last: str, number: int
) -> None:
    assume(one != other)
    patterns = dict(patterns_of_pods(service, [one, other]))
    for version, pattern in patterns.items():
        name = workload_name(service, version)
        for pod in (of_deployment(name, template, last), f"{name}-{number}"):
            assert re.fullmatch(pattern, pod)
            [not_its] = [patterns[also] for also in patterns if also != version]
            assert not re.fullmatch(not_its, pod)
