"""Which rendered fields are left to who owns them, and how they are laid over a manifest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from glidepath.deploy.manifests import objects
from glidepath.deploy.overlay import changes, foreign, overlaid, where
from glidepath.deploy.postrender.overlay import lay

AT = "2026-11-27T12:00:00Z"
CONTAINER = 'k:{"name":"shop"}'


def entry(manager: str, fields: dict[str, Any], subresource: str = "") -> dict[str, Any]:
    """One entry of `managedFields`."""
    made = {"manager": manager, "operation": "Update", "fieldsV1": fields}
    return made | ({"subresource": subresource} if subresource else {"time": AT})


def deployment(replicas: int = 2, **container: Any) -> dict[str, Any]:
    """As a chart renders it."""
    one = {"name": "shop", "image": "shop:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [one | container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop-v1", "annotations": {"glidepath.dev/token": "7"}},
        "spec": {"replicas": replicas, "template": template},
    }


def live(manifest: dict[str, Any], *managed: dict[str, Any]) -> dict[str, Any]:
    """As the API has it."""
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": list(managed)}}


def of_container(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of the container."""
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {CONTAINER: fields}}}}}


SCALED = entry("kubectl", {"f:spec": {"f:replicas": {}}}, "scale")


def test_what_somebody_else_scaled_is_left_to_him() -> None:
    (one,) = foreign(deployment(2), live(deployment(5), SCALED))
    assert str(one) == "Deployment shop-v1: spec.replicas is 5, set by kubectl (scale)"
    assert (one.rendered, one.value, one.taken) == (2, 5, False)
    assert overlaid(deployment(2), [one]) == deployment(5)


@pytest.mark.parametrize(
    "managed",
    [
        entry("helm", {"f:spec": {"f:replicas": {}}}),
        entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}, "status"),
        entry("kubectl-rollout", {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:restartedAt": {}}}}}}),
        entry("glidepath", {"f:metadata": {"f:annotations": {"f:glidepath.dev/token": {}}}}),
    ],
    ids=["Helm's own", "a status", "not rendered", "the token"],
)
def test_all_else_is_as_it_is_rendered(managed: dict[str, Any]) -> None:
    other = deployment(5)
    other["metadata"]["annotations"] = {"glidepath.dev/token": "8"}
    assert foreign(deployment(2), live(other, managed)) == []


def test_an_equal_value_is_no_matter() -> None:
    assert foreign(deployment(2), live(deployment(2), SCALED)) == []


def test_items_of_lists_are_found_by_their_keys() -> None:
    other = deployment(env=[{"name": "B", "value": "9"}, {"name": "C", "value": "3"}, {"name": "A", "value": "1"}])
    fields = {
        "f:env": {'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}, 'k:{"name":"C"}': {".": {}, "f:value": {}}}
    }
    (one,) = foreign(deployment(), live(other, entry("kubectl-set", of_container(fields))))
    assert where(one.path) == "spec.template.spec.containers[name=shop].env[name=B].value"
    laid = overlaid(deployment(), [one])
    env = laid["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "A", "value": "1"}, {"name": "B", "value": "9"}]


def test_a_port_is_found_though_the_manifest_leaves_its_protocol_out() -> None:
    rendered = deployment(ports=[{"containerPort": 80, "name": "http"}])
    other = deployment(ports=[{"containerPort": 80, "protocol": "TCP", "name": "web"}])
    fields = {"f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {"f:name": {}}}}
    (one,) = foreign(rendered, live(other, entry("kubectl-edit", of_container(fields))))
    assert where(one.path).endswith("ports[containerPort=80,protocol=TCP].name")
    assert overlaid(rendered, [one])["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"] == "web"


def test_a_variable_that_says_its_value_in_another_way_is_left_whole() -> None:
    secret = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    other = deployment(env=[{"name": "A", "value": "by hand"}])
    fields = {"f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}}
    (one,) = foreign(deployment(env=[secret]), live(other, entry("kubectl-set", of_container(fields))))
    laid = overlaid(deployment(env=[secret]), [one])
    assert laid["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "by hand"}]


def routes(*weights: tuple[str, int], timeout: str = "5s", more: list[Any] | None = None) -> dict[str, Any]:
    """A VirtualService."""
    route = [{"destination": {"host": "shop", "subset": subset}, "weight": weight} for subset, weight in weights]
    http = [{"timeout": timeout, "route": route}, *(more or [])]
    return {"apiVersion": "v1", "kind": "VirtualService", "metadata": {"name": "shop"}, "spec": {"http": http}}


HTTP = entry("kubectl-edit", {"f:spec": {"f:http": {}}})
REDIRECT = {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}


@pytest.mark.parametrize(
    ("other", "left"),
    [
        (routes(("v1", 80), ("v2", 20), timeout="9s"), True),
        (routes(("v1", 80), ("v2", 20), more=[REDIRECT]), True),
        (routes(("v1", 100), ("v2", 0)), False),
        (routes(("v1", 100)), False),
        (routes(("v1", 7), ("v2", 93)), False),
        (routes(("v1", 80), ("v2", 20), more=routes(("v2", 100))["spec"]["http"]), False),
    ],
)
def test_routes_are_left_only_where_they_split_as_rendered(other: dict[str, Any], left: bool) -> None:
    assert bool(foreign(routes(("v1", 80), ("v2", 20)), live(other, HTTP))) is left


def test_a_weight_of_nothing_is_no_other_split() -> None:
    assert foreign(routes(("v1", 100), ("v2", 0)), live(routes(("v1", 100)), HTTP))


def rule(*subsets: dict[str, Any]) -> dict[str, Any]:
    """A DestinationRule."""
    return {
        "apiVersion": "v1",
        "kind": "DestinationRule",
        "metadata": {"name": "shop"},
        "spec": {"subsets": [{"labels": {"version": one["name"]}, **one} for one in subsets]},
    }


def test_subsets_keep_what_somebody_added_and_are_taken_where_the_release_needs_others() -> None:
    theirs = live(rule({"name": "v1", "trafficPolicy": {"x": 1}}), entry("kubectl-edit", {"f:spec": {"f:subsets": {}}}))
    (same,) = foreign(rule({"name": "v1"}), theirs)
    assert (same.taken, same.value) == (False, theirs["spec"]["subsets"])
    (one,) = foreign(rule({"name": "v1"}, {"name": "v2"}), theirs)
    assert one.taken
    assert one.value == rule({"name": "v1", "trafficPolicy": {"x": 1}}, {"name": "v2"})["spec"]["subsets"]
    broken = rule({"name": "v1", "labels": {"version": "v9"}})
    (mended,) = foreign(rule({"name": "v1"}), live(broken, entry("kubectl-edit", {"f:spec": {"f:subsets": {}}})))
    assert mended.value == rule({"name": "v1"})["spec"]["subsets"]


def test_changes_name_fields_and_items() -> None:
    other = deployment(image="shop:2", env=[{"name": "B", "value": "2"}])
    found = {path: (was, now) for path, was, now in changes(deployment(), other)}
    at = "spec.template.spec.containers[name=shop]"
    assert found == {f"{at}.image": ("shop:1", "shop:2"), f"{at}.env[name=A]": ({"name": "A", "value": "1"}, None)}


STREAM = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: texts # a comment
data:
  A: yes
  B: 1e3
  C: 2001-01-01
  D: "no"
  E: |-
    ---
    1: 2
  F: 0777
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-v1
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: shop
        image: shop:1
        ports:
        - containerPort: 80
          name: http
        env:
        - {name: A, value: "1500000"}
"""


def run_plugin(folder: Path, overlay: list[dict[str, Any]]) -> str:
    """The plugin as Helm runs it."""
    file = folder / "overlay.json"
    file.write_text(json.dumps(overlay))
    done = subprocess.run(
        [sys.executable, "-I", lay.__file__, str(file)], input=STREAM, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_post_renderer_changes_what_it_is_told_and_passes_on_the_rest(tmp_path: Path) -> None:
    text, weird = {"kind": "ConfigMap", "name": "texts"}, 'é "quoted"\n- 1: yes \x7f'
    at = ["spec", "template", "spec", "containers", {"name": "shop"}]
    many = {"kind": "Deployment", "name": "shop-v1"}
    found = run_plugin(
        tmp_path,
        [
            {**many, "path": ["spec", "replicas"], "value": 5},
            {**many, "path": [*at, "image"], "value": "yes"},
            {**many, "path": [*at, "ports", {"containerPort": 80, "protocol": "TCP"}, "name"], "value": weird},
            {
                **many,
                "path": [*at, "env", {"name": "A"}],
                "value": {"name": "A", "value": "1e3", "more": [None, 0.5, True]},
            },
        ],
    )
    first, second = found.split("\n---\napi")
    assert first == STREAM.split("\n---\napi", maxsplit=1)[0]
    made = yaml.safe_load(f"api{second}")
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert (made["spec"]["replicas"], container["image"], container["ports"][0]["name"]) == (5, "yes", weird)
    assert container["env"] == [{"name": "A", "value": "1e3", "more": [None, 0.5, True]}]
    changed = run_plugin(tmp_path, [{**text, "path": ["data", "D"], "value": "on"}])
    was, now = objects(STREAM)[0]["data"], objects(changed)[0]["data"]
    assert now == {**was, "D": "on"}
    assert run_plugin(tmp_path, []) == STREAM


def test_manifests_are_read_as_helm_reads_them() -> None:
    (texts, _) = objects(STREAM)
    assert texts["data"] == {"A": True, "B": 1000.0, "C": "2001-01-01", "D": "no", "E": "---\n1: 2", "F": 0o777}
    assert objects("# nothing\n---\n\n---\nkind: X\n") == []
