"""Fields that others own, refused upgrades and numbers: what the real Helm and the real API server make of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from glidepath.deploy import values as chart
from glidepath.deploy.overlay import changes, overlaid
from glidepath.errors import HelmError
from glidepath.traffic import Routes, Split
from rig.environment import RigError, cluster, helm, kubectl
from tests.chart.fields import (
    GIVEN,
    NAMESPACE,
    NUMBERS,
    ROUTES,
    RULE,
    SERVICE,
    STABLE,
    InstalledChart,
    env,
    live,
    opened,
    plain,
    scale,
    stable_in,
    template,
)
from tests.support.chart import CHART, installed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", autouse=True)
def service() -> Iterator[None]:
    with installed(NAMESPACE, GIVEN):
        yield


@pytest.fixture
def world() -> Iterator[InstalledChart]:
    """A release that has claimed; at its end it has to leave one version, open, and a plain helm upgrade goes through."""
    made = InstalledChart()
    pods = template()
    yield made
    made.leave_stable()
    assert live(ROUTES)["metadata"]["annotations"]["glidepath.dev/state"] == "open"
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", GIVEN, "--force-conflicts")
    assert list(changes(pods, template())) == []


@pytest.mark.parametrize(("manager", "count"), [("", 5), ("", 1), ("kube-controller-manager", 4)])
def test_replicas_that_somebody_else_scaled_stay_and_helm_goes_through(
    world: InstalledChart, manager: str, count: int
) -> None:
    scale(count, manager)
    with pytest.raises(RigError, match=r"conflict with .*: \.spec\.replicas"):
        plain("env.SOMETHING=else", "replicas.stable=3")
    pods = template()
    (told,) = world.deploy()
    assert f"spec.replicas is {count}, set by {manager or 'kubectl'} (scale)" in told
    shape = world.workloads.shape("v1")
    assert shape is not None
    assert (shape.wanted, shape.replicas_by) == (count, f"{manager or 'kubectl'} (scale)")
    assert shape.autoscaled == bool(manager)
    world.traffic.write(world.claim, Routes(Split("v1", "v2", 20)))
    world.deploy(20, replicas={"stable": 2, "canary": 3})
    assert live(STABLE)["spec"]["replicas"] == count
    assert list(changes(pods, template())) == []


def test_pods_that_were_changed_by_hand_stay_so_until_the_release_has_ended(world: InstalledChart) -> None:
    for words in (
        ("env", STABLE, "MAX_BYTES=7"),
        ("image", STABLE, f"{SERVICE}=localhost/none:by-hand"),
        ("resources", STABLE, "--limits=memory=512Mi"),
    ):
        kubectl("set", *words, "-n", NAMESPACE)
    pods, spec = template(), live(STABLE)["spec"]
    seen = world.helm.preview(chart.with_canary(world.given(), "v1", "v2", 0, world.claim.token))
    assert list(changes(pods, world.helm.applied(overlaid(stable_in(seen), seen.laid))["spec"]["template"])) == []
    told = world.deploy()
    at = f"spec.template.spec.containers[name={SERVICE}]"
    for path in ("env[name=MAX_BYTES].value", "image", "resources.limits.memory"):
        assert any(f"{at}.{path} is" in one and "set by kubectl-set at" in one for one in told)
    assert len(told) == 3
    assert live(STABLE)["spec"] == spec
    assert env(f"deployment/{SERVICE}-v2")["MAX_BYTES"] == "15"
    world.leave_stable()
    assert template() == pods


def test_a_variable_that_was_taken_away_by_hand_is_seen_beforehand(world: InstalledChart) -> None:
    kubectl("set", "env", STABLE, "LIMIT-", "-n", NAMESPACE)
    seen = world.helm.preview(chart.with_canary(world.given(), "v1", "v2", 0, world.claim.token))
    then = world.helm.applied(overlaid(stable_in(seen), seen.laid))
    (path, was, now) = next(changes(template(), then["spec"]["template"]))
    assert (path, was) == (f"spec.containers[name={SERVICE}].env[name=LIMIT]", None)
    assert now["value"] == "30"
    assert "LIMIT" not in env()  # asked only


def test_routes_edited_by_hand_stay_while_they_split_alike_and_else_helm_is_refused(world: InstalledChart) -> None:
    world.traffic.write(world.claim, Routes(Split("v1", "v2", 20)))
    patch = [{"op": "replace", "path": "/spec/http/0/timeout", "value": "7s"}]
    kubectl("patch", ROUTES, "-n", NAMESPACE, "--type=json", "-p", json.dumps(patch), "--field-manager=a-person")
    (told,) = world.deploy(20)
    assert "VirtualService fielded: spec.http is" in told
    assert live(ROUTES)["spec"]["http"][0]["timeout"] == "7s"
    world.traffic.write(world.claim, Routes(Split("v1", "v2", 0)))
    with pytest.raises(HelmError, match=r"conflict with .glidepath.*: \.spec\.http"):
        world.deploy(20, env={"ANOTHER": "one"})
    assert world.traffic.read().split == Split("v1", "v2", 0)


def test_subsets_edited_by_hand_are_taken_over_with_what_was_edited(world: InstalledChart) -> None:
    policy = {"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 77}}}}
    patch = {"spec": {"subsets": [{"name": "v1", "labels": {"version": "v1"}, **policy}]}}
    kubectl("patch", RULE, "-n", NAMESPACE, "--type=merge", "-p", json.dumps(patch), "--field-manager=a-person")
    world.deploy()
    subsets = {one["name"]: one for one in live(RULE)["spec"]["subsets"]}
    assert set(subsets) == {"v1", "v2"}
    assert subsets["v1"]["trafficPolicy"] == policy["trafficPolicy"]
    assert live(RULE)["metadata"]["annotations"]["glidepath.dev/state"] == "held"
    world.leave_stable()
    assert [one["name"] for one in live(RULE)["spec"]["subsets"]] == ["v1"]


def test_a_persons_refused_upgrade_is_not_gone_on_from(world: InstalledChart) -> None:
    world.deploy()
    before = world.helm.status()
    assert before is not None
    world.traffic.write(world.claim, Routes(Split("v1", "v2", 20)))
    token = f"release.token={world.claim.token}"
    opened("v1")
    with pytest.raises(RigError, match="conflict"):
        helm(
            "upgrade",
            "app",
            CHART,
            "-n",
            NAMESPACE,
            "--reuse-values",
            "--set",
            "env.REFUSED=yes",
            "--set-string",
            token,
        )
    found = world.helm.status()
    assert found is not None
    assert (found.revision, found.newest, found.status) == (before.revision, before.revision + 1, "failed")
    assert found.values == before.values
    assert "REFUSED" not in world.helm.effective_values()["env"]
    assert env()["REFUSED"] == "yes"  # Helm applies what it can
    values = chart.with_canary(found.values, "v1", "v2", 20, world.claim.token)
    done = world.helm.upgrade(values, write=world.traffic.state().write + 1)
    assert (done.revision, done.status) == (before.revision + 2, "deployed")
    assert "REFUSED" not in env()


def test_an_upgrade_that_was_killed_is_got_over_though_a_field_is_somebody_elses(world: InstalledChart) -> None:
    world.deploy()
    opened("v1", "v2")
    binary, kubeconfig = cluster()["HELM"], cluster()["KUBECONFIG"]
    command = [binary, "--kubeconfig", kubeconfig, "upgrade", "app", CHART, "-n", NAMESPACE, "--reuse-values", "--wait"]
    killed = subprocess.Popen(
        [*command, "--set", "env.KILLED=yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 30
    while "KILLED" not in env():
        assert time.monotonic() < until
        time.sleep(0.2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(10)
    found = world.helm.status()
    assert found is not None
    assert found.status == "pending-upgrade"
    seen = world.helm.preview(chart.with_canary(world.given(), "v1", "v2", 0, world.claim.token))
    assert "KILLED" not in str(stable_in(seen))  # what `plan` asks is answered all the same
    scale(4)
    world.deploy(replicas={"stable": 2, "canary": 2})
    assert world.helm.status().status == "deployed"  # type: ignore[union-attr]
    assert "KILLED" not in env()
    assert live(STABLE)["spec"]["replicas"] == 4


def test_numbers_stay_what_they_were_installed_as(world: InstalledChart, tmp_path: Path) -> None:
    world.traffic.open(world.claim)
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", f"{GIVEN},{NUMBERS}")
    world.claim = InstalledChart().claim
    integers = {"MAX_BYTES": "1500000", "LIMIT": "3000000000", "ID": "12345678901234567", "ON": "true"}
    assert env() == {**env(), **integers}
    pods = template()
    world.deploy()
    assert list(changes(pods, template())) == []
    assert env(f"deployment/{SERVICE}-v2") == {**env(), **integers}
    world.leave_stable()
    # Given by a file they are floats to Helm, text that looks like a number is text, and both stay so.
    file = tmp_path / "values.yaml"
    file.write_text('env: {MAX_BYTES: 1500000, LIMIT: 3000000000, ID: 7, "ON": false, E: "1e3", RATIO: 0.25}\n')
    single = GIVEN.split(",env.")[0]
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", f"{single},env.LATER=2500000", "-f", str(file))
    floats = {"MAX_BYTES": "1.5e+06", "LIMIT": "3e+09", "LATER": "2500000", "E": "1e3", "RATIO": "0.25", "ON": "false"}
    assert env() == {**env(), **floats}
    world.claim = InstalledChart().claim
    pods = template()
    world.deploy()
    assert list(changes(pods, template())) == []
    world.leave_stable()
    assert env() == {**env(), **floats}
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", GIVEN)
    world.claim = InstalledChart().claim


def test_a_release_that_helm_3_installed_is_applied_on_the_server_too(world: InstalledChart) -> None:
    helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", GIVEN, "--server-side=false", "--reset-values")
    world.deploy()
    world.traffic.write(world.claim, Routes(Split("v1", "v2", 20)))
    with pytest.raises(HelmError, match=r"\.spec\.http"):
        world.deploy(50)
    assert world.traffic.read().split == Split("v1", "v2", 20)
