"""The contract of `Deploy` and `Workloads`."""

from __future__ import annotations

import json

from glidepath.deploy import HelmRelease
from glidepath.deploy import values as chart
from glidepath.policy import Image, name_of
from tests.contracts.place import Place


def keeps(place: Place) -> None:
    """An upgrade brings values about, once; a preview and a look touch nothing."""
    deploy, workloads = place.deploy(), place.workloads()
    first = status(place)
    assert chart.roles(deploy.effective_values()) == ("v1", None)
    assert chart.role_replicas(deploy.effective_values()) >= 1, "defaults are part of the values in force"
    both = chart.with_canary(dict(first.values), "v1", "v2", 0, 0)
    seen = deploy.preview(both)
    kinds = {(str(one["kind"]), str(one["metadata"]["name"])) for one in seen.objects}
    assert {("Deployment", f"{place.service}-{version}") for version in ("v1", "v2")} <= kinds
    assert status(place) == first, "a preview touches nothing"
    stable = next(one for one in seen.objects if one["metadata"]["name"] == f"{place.service}-v1")
    assert deploy.found(stable) is not None
    assert deploy.applied(stable)["metadata"]["name"] == stable["metadata"]["name"]
    assert workloads.shape("v2") is None
    done = deploy.upgrade(both)
    assert (done.revision, done.status) == (first.revision + 1, "deployed")
    assert place.deploy().upgrade(both).revision == done.revision, "what is so already is not done again"
    revision = workloads.helm_revision(deploy.release)
    assert revision is not None
    assert revision.number == done.revision
    _versions(place)
    back = place.deploy().upgrade(chart.with_canary(dict(both), "v1", None, 0, 0))
    assert back.revision == done.revision + 1
    place.workloads().wait_gone("v2", 60.0)
    assert place.workloads().shape("v2") is None


def knows_a_version_by_its_image(place: Place) -> None:
    """A tag with dots is deployed under a name without, and leaves nothing behind."""
    first, name, image = status(place), name_of("1.4.2"), Image("1.4.2")
    values = chart.with_canary(chart.with_image(dict(first.values), name, image), "v1", name, 0, 0)
    made = {
        one["metadata"]["name"]: one for one in place.deploy().preview(values).objects if one["kind"] == "Deployment"
    }
    assert ":1.4.2" in json.dumps(made[f"{place.service}-{name}"])
    assert ":1.4.2" not in json.dumps(made[f"{place.service}-v1"])
    place.deploy().upgrade(values)
    shape = place.workloads().shape(name)
    assert shape is not None
    assert shape.labels["version"] == name
    assert chart.image_of(place.deploy().effective_values(), name) == image
    back = chart.without_image(chart.with_canary(dict(status(place).values), "v1", None, 0, 0), name)
    place.deploy().upgrade(back)
    place.workloads().wait_gone(name, 60.0)
    assert name not in json.dumps(status(place).values)


def _versions(place: Place) -> None:
    """Both versions are there, each with its own pods."""
    workloads = place.workloads()
    shapes = {version: workloads.shape(version) for version in ("v1", "v2")}
    for version, shape in shapes.items():
        assert shape is not None
        assert (shape.labels["version"], shape.wanted >= 1) == (version, True)
        assert workloads.readiness(version).wanted == shape.wanted
    assert not workloads.at_least("v2", 1), "it has one already"
    assert not workloads.remove_forgotten("v9", place.deploy().release)
    selector = workloads.selector()
    assert selector is None or selector.has(shapes["v1"].labels)  # type: ignore[union-attr]


def status(place: Place) -> HelmRelease:
    """What is installed."""
    found = place.deploy().status()
    assert found is not None
    return found
