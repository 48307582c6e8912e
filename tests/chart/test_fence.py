"""The fence on the real API server: who may write an object that a release holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client

from glidepath.claim import Claim, LeaseClaims
from glidepath.errors import ClaimHeldError, ClaimLostError
from glidepath.traffic import Routes, Split
from rig.environment import RigError, kubectl
from tests.chart.fenced import (
    LEASE,
    NAMESPACE,
    OBJECTS,
    SERVICE,
    annotate,
    annotations,
    api,
    delete_claim,
    held,
    spec,
    upgrade_with,
)
from tests.support.meshed import Meshed

__all__ = ["api", "held"]
pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("what", OBJECTS)
def test_a_held_object_refuses_lower_and_missing_tokens_and_deletion(held: Claim, what: str) -> None:
    assert annotations(what)["glidepath.dev/token"] == str(held.token)
    for pair in (f"glidepath.dev/token={held.token - 1}", "glidepath.dev/token=many", "glidepath.dev/token-"):
        with pytest.raises(RigError, match="a release holds this object with token"):
            annotate(what, pair)
    with pytest.raises(RigError, match="mark it open first"):
        kubectl("delete", what, "-n", NAMESPACE)
    annotate(what, "note=an emergency edit keeps the token and passes")
    annotate(what, f"glidepath.dev/token={held.token}")
    annotate(what, f"glidepath.dev/token={held.token + 1}")
    with pytest.raises(RigError, match="a release holds this object with token"):
        annotate(what, f"glidepath.dev/token={held.token}")
    # Put back what the other cases expect.
    annotate(what, "glidepath.dev/state=open")
    annotate(what, f"glidepath.dev/token={held.token}", "note-")


@pytest.mark.parametrize("what", OBJECTS)
def test_an_open_object_lets_everything_pass(api: client.ApiClient, held: Claim, what: str) -> None:
    Meshed(api, NAMESPACE, SERVICE).open(held)
    annotate(what, "glidepath.dev/token=0")
    annotate(what, f"glidepath.dev/token={held.token}")


def test_a_stale_release_is_refused_and_the_newer_one_is_not(api: client.ApiClient, held: Claim) -> None:
    claims, traffic = LeaseClaims(api, NAMESPACE, SERVICE), Meshed(api, NAMESPACE, SERVICE)
    traffic.write(held, Routes(Split("v1", "v2", 20)))
    state = claims.read()
    assert state is not None
    newer = Claim(NAMESPACE, SERVICE, "watchdog", claims.take_over(state, "watchdog", 60), "v1", "v2", 60)
    traffic.write(newer, Routes(Split("v1", "v2", 0)))
    with pytest.raises(ClaimLostError, match=f"token {newer.token}"):
        traffic.write(held, Routes(Split("v1", "v2", 50)))
    with pytest.raises(ClaimLostError):
        claims.renew(held)
    assert traffic.read().split == Split("v1", "v2", 0)


def test_a_second_release_is_refused_with_the_holder_and_a_link(api: client.ApiClient, held: Claim) -> None:
    with pytest.raises(ClaimHeldError, match=r"run/of-the-test .*http://airflow/run"):
        LeaseClaims(api, NAMESPACE, SERVICE).acquire(replace(held, holder="another", canary="v3"))
    assert held.token >= 1


def test_a_claim_that_is_held_is_not_deleted_until_a_person_frees_it(api: client.ApiClient, held: Claim) -> None:
    with pytest.raises(RigError, match=f"{held.holder} holds this service; take its canary back with"):
        kubectl("delete", LEASE, "-n", NAMESPACE)
    delete_claim()
    assert LeaseClaims(api, NAMESPACE, SERVICE).read() is None
    again = replace(held, token=Meshed(api, NAMESPACE, SERVICE).state().newest)
    assert LeaseClaims(api, NAMESPACE, SERVICE).acquire(again).token > held.token


@pytest.mark.parametrize("what", OBJECTS)
def test_a_file_that_is_applied_is_refused_and_an_edit_passes(held: Claim, what: str) -> None:
    found = json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json"))
    for field in ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"):
        found["metadata"].pop(field, None)
    found.pop("status", None)
    before = spec(what)
    other = {"minReadySeconds": 7} if what.startswith("deployment") else {"exportTo": ["."]}
    changed = json.dumps({**found, "spec": {**found["spec"], **other}})
    ways = (["apply"], ["apply", "--server-side", "--force-conflicts"], ["apply", "--server-side"],
            ["apply", "--server-side", "--force-conflicts", "--field-manager=kustomize-controller"])  # fmt: skip
    for way in ways:
        with pytest.raises(RigError, match=r"applies a whole object without knowing of it|conflict"):
            kubectl(*way, "-n", NAMESPACE, "-f", "-", given=changed)
        assert spec(what) == before, way
    kubectl("patch", what, "-n", NAMESPACE, "--type=merge", "-p", json.dumps({"spec": other}))
    assert spec(what) != before
    undo = json.dumps({"spec": dict.fromkeys(other)})
    kubectl("patch", what, "-n", NAMESPACE, "--type=merge", "-p", undo)
    assert annotations(what)["glidepath.dev/token"] == str(held.token)


def test_the_token_can_not_be_lowered_through_the_status_either(held: Claim) -> None:
    patch = json.dumps({"metadata": {"annotations": {"glidepath.dev/token": str(held.token - 1)}}})
    what = f"deployment/{SERVICE}-v2"
    with pytest.raises(RigError, match="a release holds this object with token"):
        kubectl("patch", what, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)
    assert annotations(what)["glidepath.dev/token"] == str(held.token)


def test_a_number_written_by_hand_leaves_room_to_go_on(api: client.ApiClient, held: Claim) -> None:
    """A token that no claim could go above would be the end of every brake; so would an upgrade's number."""
    claims, traffic, stable = LeaseClaims(api, NAMESPACE, SERVICE), Meshed(api, NAMESPACE, SERVICE), OBJECTS[0]
    with pytest.raises(RigError, match="a release holds this object with token"):
        annotate(stable, "glidepath.dev/token=999999999999999")
    annotate(stable, "glidepath.dev/token=999999999999")
    raised = claims.raise_above(held, traffic.state().newest)
    traffic.take(raised)
    traffic.write(raised, Routes(Split("v1", "v2", 0)))
    annotate(f"deployment/{SERVICE}-v1", "glidepath.dev/write=999999999999999")
    traffic.free_writes()
    upgrade_with(api, raised)
    for token in ("glidepath.dev/token=abc", "glidepath.dev/token-"):
        with pytest.raises(RigError, match="is written by Glidepath only"):
            annotate(LEASE, token)
    # Put back what the other cases expect.
    for what in (*OBJECTS, f"deployment/{SERVICE}-v1"):
        annotate(what, "glidepath.dev/state=open")
        annotate(what, f"glidepath.dev/token={held.token}")


def test_an_apply_of_a_file_is_refused_under_any_name(held: Claim, tmp_path: Path) -> None:
    what = f"deployment/{SERVICE}-v1"
    found = json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json"))
    notes = found["metadata"]["annotations"]
    assert notes["glidepath.dev/token"] == str(held.token)
    metadata = {"name": found["metadata"]["name"], "annotations": notes, "labels": found["metadata"]["labels"]}
    file = tmp_path / "stable.json"
    file.write_text(json.dumps({**found, "metadata": metadata, "spec": {**found["spec"], "replicas": 3}, "status": {}}))
    with pytest.raises(RigError, match="deployer applies a whole object without knowing of it"):
        kubectl("apply", "-f", str(file), "-n", NAMESPACE, "--field-manager=deployer")


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("what", OBJECTS)
def test_a_held_object_keeps_the_label_by_which_it_is_fenced(what: str) -> None:
    with pytest.raises(RigError, match="knows it by its label app"):
        kubectl("label", what, "-n", NAMESPACE, "app-")


def test_glidepath_may_not_do_what_it_has_no_need_of() -> None:
    for verb, what in (
        ("create", "pods"),
        ("delete", "namespaces"),
        ("delete", "virtualservices.networking.istio.io"),
        ("get", "secrets -n kube-system"),
        ("create", "clusterroles.rbac.authorization.k8s.io"),
        ("patch", "validatingadmissionpolicies.admissionregistration.k8s.io/other"),
        ("create", "pods/exec"),
    ):
        account = f"system:serviceaccount:{NAMESPACE}:glidepath"
        namespace = [] if " -n " in what else ["-n", NAMESPACE]
        done = kubectl("auth", "can-i", verb, *what.split(), *namespace, "--as", account, check=False)
        assert done.strip() == "no", (verb, what, done)
