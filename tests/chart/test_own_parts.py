"""Glidepath's own parts as a chart: in the service's chart, or on their own for several services of a namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rig.environment import REPO
from tests.support.templates import CHART, OWN_PARTS, helm, identity, named, refuses, rendered

TWO: dict[str, Any] = {"services": [{"name": "prices"}, {"name": "model-service", "keda": True}]}
FENCE = "glidepath-sms-app-model-service"
EXTERNAL = ("--set", "glidepath.external=true")


def parts(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Objects by identity, hooks left out: they are no part of what an upgrade applies."""
    return {identity(one): one for one in objects if "helm.sh/hook" not in (one["metadata"].get("annotations") or {})}


def hooks(objects: list[dict[str, Any]]) -> list[str]:
    """What Helm makes before it deletes anything."""
    return sorted(
        identity(one)
        for one in objects
        if (one["metadata"].get("annotations") or {}).get("helm.sh/hook") == "pre-delete"
    )


def rules(role: dict[str, Any], group: str) -> list[dict[str, Any]]:
    """A role's rules for an API group."""
    return [one for one in role["rules"] if group in one["apiGroups"]]


def test_values_that_name_every_key_as_before_change_nothing() -> None:
    """What `helm upgrade --reuse-values` gives: all that the chart of before had, its defaults too."""
    watchdog = {
        "enabled": True,
        "image": "localhost/glidepath-watchdog:local",
        "pullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "10m", "memory": "48Mi"}, "limits": {"memory": "128Mi"}},
    }
    given = {"glidepath": {"rbac": True, "fence": True, "watchdog": watchdog}}
    assert rendered(values=given) == rendered()


def test_on_its_own_it_fences_each_service_and_watches_once() -> None:
    objects = rendered(chart=OWN_PARTS, values=TWO)
    assert set(named(objects, "Deployment")) == {"glidepath-watchdog"}
    assert set(named(objects, "ServiceAccount")) == {"glidepath", "glidepath-watchdog"}
    fences = {f"glidepath-sms-app-{name}{kind}" for name in ("prices", "model-service") for kind in ("", "-claim")}
    assert set(named(objects, "ValidatingAdmissionPolicy")) == fences
    assert set(named(objects, "ValidatingAdmissionPolicyBinding")) == fences
    assert hooks(objects) == [f"coordination.k8s.io/v1 Lease glidepath-{name}" for name in ("model-service", "prices")]
    assert len(parts(objects)) + 2 == len(objects)


def test_on_its_own_the_account_may_not_touch_fence_and_roles() -> None:
    """No release upgrades that chart; in the service's chart, Helm applies them at each upgrade."""
    objects = rendered(chart=OWN_PARTS, values=TWO)
    role = named(objects, "Role")["glidepath"]
    assert not named(objects, "ClusterRole")
    assert not rules(role, "rbac.authorization.k8s.io")
    [accounts] = [one for one in role["rules"] if one["resources"] == ["serviceaccounts"]]
    assert accounts["resourceNames"] == ["prices", "model-service"]
    assert rules(role, "keda.sh")
    assert rules(named(rendered(), "Role")["glidepath"], "rbac.authorization.k8s.io")


@pytest.mark.parametrize("kind", ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"])
@pytest.mark.parametrize("name", [FENCE, f"{FENCE}-claim"])
def test_the_fence_is_the_same_wherever_it_comes_from(kind: str, name: str) -> None:
    alone = named(rendered(chart=OWN_PARTS, values=TWO), kind)[name]
    assert alone["spec"] == named(rendered(), kind)[name]["spec"]


def test_a_service_beside_it_brings_what_is_left() -> None:
    beside, alone = rendered(*EXTERNAL), rendered(chart=OWN_PARTS, values={"services": [{"name": "model-service"}]})
    both, at_once = (parts(beside), parts(alone)), parts(rendered())
    assert not set(both[0]) & set(both[1])
    missing = {one for one in at_once if one not in both[0] and one not in both[1]}
    assert missing == {f"rbac.authorization.k8s.io/v1 {kind} {FENCE}" for kind in ("ClusterRole", "ClusterRoleBinding")}
    assert both[0].items() <= at_once.items()


def test_two_services_beside_it_have_nothing_in_common() -> None:
    one, other = (parts(rendered(*EXTERNAL, "--set", f"service.name={name}")) for name in ("prices", "carts"))
    assert not set(one) & set(other)


def test_uninstalling_a_held_service_is_refused_wherever_its_fence_is() -> None:
    lease = ["coordination.k8s.io/v1 Lease glidepath-model-service"]
    assert hooks(rendered()) == hooks(rendered(*EXTERNAL)) == lease
    assert hooks(rendered("--set", "glidepath.fence=false")) == []


@pytest.mark.parametrize(
    ("chart", "setting", "words"),
    [
        (OWN_PARTS, "rbac=true", "services is empty; name the services"),
        (OWN_PARTS, "services[0].name=a,services[1].name=a", 'services has "a" twice'),
        (OWN_PARTS, "services[0].name=a,external=true", "external is true; expected false"),
        (OWN_PARTS, "services[0].name=A", "pattern"),
        (OWN_PARTS, "services[0].keda=true", "name"),
        (OWN_PARTS, "services[0].name=a,watchdog.picture=x", "additional properties"),
        (CHART, "glidepath.fence=maybe", "got string, want boolean"),
        (CHART, "glidepath.watchdog.picture=x", "additional properties"),
        (CHART, "glidepath.fances=true", "additional properties"),
        (CHART, "glidepath.services[0].name=a", "maxItems"),
    ],
)
def test_wrong_values_of_the_parts_are_refused_by_name(chart: Path, setting: str, words: str) -> None:
    refuses(chart, setting, words)


def test_lint_accepts_the_parts_on_their_own(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(TWO))
    done = helm("lint", "--strict", str(OWN_PARTS), "-f", str(values))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_packed_service_brings_the_parts(tmp_path: Path) -> None:
    done = helm("package", str(CHART), "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    [packed] = tmp_path.iterdir()
    assert parts(rendered(chart=packed)) == parts(rendered())


def test_a_clone_has_the_parts_once() -> None:
    """The link leads from the chart on its own into the service's: without links, a download still installs the service."""
    assert OWN_PARTS.is_symlink()
    assert OWN_PARTS.resolve() == CHART / "charts" / "glidepath"
    assert not [one for one in CHART.rglob("*") if one.is_symlink()]
    described = {
        one["name"]: one["version"] for one in yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    }
    parts_chart = yaml.safe_load((OWN_PARTS / "Chart.yaml").read_text())
    assert described == {parts_chart["name"]: parts_chart["version"]}


ALERTS = {"alerts": {"enabled": True, "labels": {"release": "monitoring"}, "annotations": {"told-by": "glidepath"}}}
OPERATOR = ("--api-versions", "monitoring.coreos.com/v1/PrometheusRule")
DASHBOARDS = {"dashboards": {"enabled": True, "annotations": {"grafana_folder": "Glidepath"}}}
# The API server refuses an object of more than 1 MiB; `kubectl apply` an annotation of more than 256 KiB.
LARGEST = 256 * 1024


@pytest.mark.parametrize(("chart", "values"), [(OWN_PARTS, TWO | DASHBOARDS), (CHART, {"glidepath": DASHBOARDS})])
def test_grafanas_sidecar_finds_the_dashboards(chart: Path, values: dict[str, Any]) -> None:
    one = named(rendered(chart=chart, values=values), "ConfigMap")["glidepath-dashboards"]
    assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert one["metadata"]["annotations"] == {"grafana_folder": "Glidepath"}
    boards = {path.name: json.loads(path.read_text()) for path in (REPO / "include/dashboards").glob("*.json")}
    assert {name: json.loads(text) for name, text in one["data"].items()} == boards
    assert "release.json" in boards
    assert sum(map(len, one["data"].values())) < LARGEST


def test_a_release_of_that_chart_may_write_the_dashboards_and_no_other_configmap() -> None:
    def may(values: dict[str, Any]) -> list[Any]:
        role = named(rendered(values=values), "Role")["glidepath"]
        return [one for one in role["rules"] if "configmaps" in one["resources"]]

    [rule] = may({"glidepath": DASHBOARDS})
    assert (rule["resourceNames"], rule["verbs"]) == (["glidepath-dashboards"], ["get", "patch"])
    assert may({}) == []


@pytest.mark.parametrize(
    "values", [{}, {"glidepath": {"dashboards": None}}, {"glidepath": DASHBOARDS | {"external": True}}]
)
def test_no_dashboards_where_nobody_asked_for_them(values: dict[str, Any]) -> None:
    """`helm upgrade --reuse-values` of an older chart knows nothing of them; other parts' chart brings them."""
    assert "glidepath-dashboards" not in named(rendered(values=values), "ConfigMap")


OWN = pytest.mark.parametrize(("chart", "values"), [(OWN_PARTS, TWO | ALERTS), (CHART, {"glidepath": ALERTS})])


def labelled(one: dict[str, Any]) -> None:
    """Assert that it is labelled as it was asked for; its name is the rules' own."""
    assert one["metadata"]["name"] == "glidepath-alerts"
    assert one["metadata"]["labels"] == {"app.kubernetes.io/name": "glidepath-alerts", "release": "monitoring"}
    assert one["metadata"]["annotations"] == {"told-by": "glidepath"}


@OWN
def test_prometheus_operator_is_given_the_rules(chart: Path, values: dict[str, Any]) -> None:
    objects = rendered(*OPERATOR, chart=chart, values=values)
    one = named(objects, "PrometheusRule")["glidepath-alerts"]
    labelled(one)
    assert one["spec"] == yaml.safe_load((REPO / "include/alerts/glidepath.yaml").read_text())
    assert "glidepath-alerts" not in named(objects, "ConfigMap")


@OWN
def test_without_the_operator_a_configmap_has_the_file(chart: Path, values: dict[str, Any]) -> None:
    objects = rendered(chart=chart, values=values)
    one = named(objects, "ConfigMap")["glidepath-alerts"]
    labelled(one)
    assert one["data"] == {"glidepath.yaml": (REPO / "include/alerts/glidepath.yaml").read_text()}
    assert "glidepath-alerts" not in named(objects, "PrometheusRule")


@pytest.mark.parametrize("also", [{}, DASHBOARDS])
def test_a_release_of_that_chart_may_write_the_rules(also: dict[str, Any]) -> None:
    role = named(rendered(values={"glidepath": ALERTS | also}), "Role")["glidepath"]
    may = [(one["resources"], one["resourceNames"]) for one in role["rules"] if one["verbs"] == ["get", "patch"]]
    assert (["configmaps"], [*(["glidepath-dashboards"] if also else []), "glidepath-alerts"]) in may
    assert (["prometheusrules"], ["glidepath-alerts"]) in may


@pytest.mark.parametrize("values", [{}, {"glidepath": {"alerts": None}}, {"glidepath": ALERTS | {"external": True}}])
def test_no_rules_where_nobody_asked_for_them(values: dict[str, Any]) -> None:
    for kind in ("ConfigMap", "PrometheusRule"):
        assert "glidepath-alerts" not in named(rendered(*OPERATOR, values=values), kind)
    assert "glidepath-alerts" not in str(rendered(values=values))


@pytest.mark.parametrize("what", ["dashboards", "alerts"])
def test_what_is_shown_is_in_the_chart_once(what: str) -> None:
    assert (REPO / "include" / what).is_symlink()
    assert (REPO / "include" / what).resolve() == CHART / "charts/glidepath" / what
