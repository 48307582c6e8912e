"""The fence on the real API server: who may write an object that a release holds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client, config

from glidepath.claim import Claim, LeaseClaims
from glidepath.deploy import Helm
from glidepath.deploy import values as chart
from glidepath.errors import ClaimHeldError, ClaimLostError, HelmError
from glidepath.traffic import Split
from rig.environment import RigError, cluster, glidepath_kubeconfig, helm, kubectl
from tests.support.chart import CHART, installed
from tests.support.meshed import Meshed

pytestmark = pytest.mark.cluster
NAMESPACE, SERVICE = "fence-test", "fenced"
# No pods: what is tested is the API's word on writes.
GIVEN = (
    f"service.name={SERVICE},replicas.stable=0,replicas.canary=0,glidepath.watchdog.enabled=false,"
    "istio.hosts={fenced.example.com}"
)
LEASE = f"lease/glidepath-{SERVICE}"
OBJECTS = (f"virtualservice/{SERVICE}", f"destinationrule/{SERVICE}", f"deployment/{SERVICE}-v2")


@pytest.fixture(scope="module")
def api() -> Iterator[client.ApiClient]:
    """The chart installed by hand, and the API as Glidepath's own service account."""
    with installed(NAMESPACE, GIVEN):
        wait_in_force()
        yield config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))


def wait_in_force() -> None:
    """The API server takes a new policy into force some moments after it was created."""
    what = OBJECTS[-1]
    annotate(what, "glidepath.dev/token=2", "glidepath.dev/state=held")
    deadline = time.monotonic() + 60
    while kubectl(
        "annotate", "--overwrite", "--dry-run=server", what, "-n", NAMESPACE, "glidepath.dev/token=1", check=False
    ):
        assert time.monotonic() < deadline, "the fence is not in force after 60 s"
        time.sleep(0.2)
    annotate(what, "glidepath.dev/state=open")
    annotate(what, "glidepath.dev/token-", "glidepath.dev/state-")
    claim = LeaseClaims(config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE))), NAMESPACE, SERVICE)
    claim.acquire(Claim(NAMESPACE, SERVICE, "run/first", 0, "v1", "v2", 60))
    while kubectl("delete", LEASE, "-n", NAMESPACE, "--dry-run=server", check=False):
        assert time.monotonic() < deadline, "the claim's fence is not in force after 60 s"
        time.sleep(0.2)
    delete_claim()


def delete_claim() -> None:
    """Free the claim by hand, and delete it."""
    kubectl("patch", LEASE, "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"holderIdentity":""}}')
    kubectl("delete", LEASE, "-n", NAMESPACE)


def upgrade(*settings: str) -> str:
    """`helm upgrade` by a person."""
    return helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", ",".join((GIVEN, *settings)))


def upgrade_with(api: client.ApiClient, claim: Claim, canary: str | None = "v2") -> None:
    """An upgrade as a release makes it: with the claim's token, and the number of its own writes raised."""
    port, traffic = Helm(Path(CHART), "app", NAMESPACE, api, cluster()["HELM"]), Meshed(api, NAMESPACE, SERVICE)
    found = port.status()
    assert found is not None
    values = chart.with_canary(found.values, "v1", canary, 0, claim.token)
    port.upgrade(values, write=traffic.state().write + 1)


@pytest.fixture
def held(api: client.ApiClient) -> Iterator[Claim]:
    """A claim under way; given back at the end."""
    claims, traffic = LeaseClaims(api, NAMESPACE, SERVICE), Meshed(api, NAMESPACE, SERVICE)
    claim = claims.acquire(
        Claim(NAMESPACE, SERVICE, "run/of-the-test", traffic.state().newest, "v1", "v2", 60), "http://airflow/run"
    )
    traffic.take(claim)
    yield claim
    newest = claims.read()
    assert newest is not None
    last = Claim(NAMESPACE, SERVICE, claim.holder, newest.token, "v1", "v2", 60)
    traffic.take(last)
    traffic.write(last, Split("v1", "v2", 0))
    upgrade_with(api, last)
    traffic.open(last)
    claims.release(last, "")
    delete_claim()


def annotate(what: str, *pairs: str) -> None:
    """Write annotations as a person does."""
    kubectl("annotate", "--overwrite", what, "-n", NAMESPACE, *pairs)


def annotations(what: str) -> dict[str, str]:
    """What the object carries."""
    return dict(json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json"))["metadata"].get("annotations", {}))


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
    traffic.write(held, Split("v1", "v2", 20))
    state = claims.read()
    assert state is not None
    newer = Claim(NAMESPACE, SERVICE, "watchdog", claims.take_over(state, "watchdog", 60), "v1", "v2", 60)
    traffic.write(newer, Split("v1", "v2", 0))
    with pytest.raises(ClaimLostError, match=f"token {newer.token}"):
        traffic.write(held, Split("v1", "v2", 50))
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


def test_helm_cannot_undo_a_brake_and_works_again_when_the_release_is_over(api: client.ApiClient, held: Claim) -> None:
    traffic = Meshed(api, NAMESPACE, SERVICE)
    traffic.write(held, Split("v1", "v2", 0))
    upgrade()
    with pytest.raises(RigError, match="conflict"):
        upgrade("istio.trafficSplit.stable=50", "istio.trafficSplit.canary=50")
    assert traffic.read().split == Split("v1", "v2", 0)
    traffic.open(held)
    upgrade("istio.trafficSplit.stable=50", "istio.trafficSplit.canary=50")
    assert traffic.read().split == Split("v1", "v2", 50)
    upgrade("istio.trafficSplit.stable=100", "istio.trafficSplit.canary=0")
    assert traffic.read().split == Split("v1", "v2", 0)


def test_helm_cannot_remove_a_version_that_a_release_holds(api: client.ApiClient, held: Claim) -> None:
    traffic = Meshed(api, NAMESPACE, SERVICE)
    traffic.write(held, Split("v1", None, 0))
    with pytest.raises(HelmError, match="mark it open first"):
        upgrade_with(api, held, None)
    assert "v2" in traffic.state().versions
    traffic.let_go(held, "v2")
    upgrade_with(api, replace(held, token=held.token), None)
    assert "v2" not in traffic.state().versions
    traffic.open(held)
    upgrade()


def spec(what: str) -> object:
    """What the object says."""
    return json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json"))["spec"]


@pytest.mark.usefixtures("held")
def test_a_persons_helm_upgrade_changes_nothing_that_a_release_holds() -> None:
    """Helm 4 applies all that it can before it ends with what was refused: it must be refused all of it."""
    before = {what: spec(what) for what in (*OBJECTS, f"deployment/{SERVICE}-v1")}
    cases = (
        ("env.ADDED=x", ()),
        ("roles.canary=", ("--reset-values",)),
        ("roles.canary=v3", ("--reuse-values",)),
        ("env.ADDED=x", ("--force-conflicts",)),
        ("env.ADDED=x", ("--server-side=false",)),
    )
    for change, more in cases:
        with pytest.raises(RigError, match=r"a release holds this object with token|conflict with"):
            helm("upgrade", "app", CHART, "-n", NAMESPACE, "--set", f"{GIVEN},{change}", *more)
        assert {what: spec(what) for what in before} == before, (change, more)


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


def test_a_releases_own_upgrades_pass_one_after_the_other(api: client.ApiClient, held: Claim) -> None:
    port, traffic = Helm(Path(CHART), "app", NAMESPACE, api, cluster()["HELM"]), Meshed(api, NAMESPACE, SERVICE)
    found = port.status()
    assert found is not None
    values = chart.with_canary(found.values, "v1", "v2", 0, held.token)
    for number in (1, 2):
        port.upgrade({**values, "env": {"NUMBER": str(number)}}, write=traffic.state().write + 1)
        assert annotations(f"deployment/{SERVICE}-v1")["glidepath.dev/write"] == str(traffic.state().write)
    with pytest.raises(HelmError, match="applies a whole object without knowing of it"):
        port.upgrade({**values, "env": {"NUMBER": "3"}}, write=traffic.state().write)
    port.upgrade(values, write=traffic.state().write + 1)


@pytest.mark.usefixtures("api")
def test_helm_is_whoever_the_client_is(api: client.ApiClient) -> None:
    """By a token, by a certificate, and refused as the client is."""
    admin = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    binary = cluster()["HELM"]
    for one in (api, config.new_client_from_config_dict(admin)):
        found = Helm(Path(CHART), "app", NAMESPACE, one, binary).status()
        assert found is not None
        assert found.status == "deployed"
    nobody = config.new_client_from_config_dict({**admin, "users": [{**admin["users"][0], "user": {"token": "x"}}]})
    with pytest.raises(HelmError, match="asked for the client to provide credentials"):
        Helm(Path(CHART), "app", NAMESPACE, nobody, binary).status()


def test_a_number_written_by_hand_leaves_room_to_go_on(api: client.ApiClient, held: Claim) -> None:
    """A token that no claim could go above would be the end of every brake; so would an upgrade's number."""
    claims, traffic, stable = LeaseClaims(api, NAMESPACE, SERVICE), Meshed(api, NAMESPACE, SERVICE), OBJECTS[0]
    with pytest.raises(RigError, match="a release holds this object with token"):
        annotate(stable, "glidepath.dev/token=999999999999999")
    annotate(stable, "glidepath.dev/token=999999999999")
    raised = claims.raise_above(held, traffic.state().newest)
    traffic.take(raised)
    traffic.write(raised, Split("v1", "v2", 0))
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


def everything() -> set[str]:
    """The names of all that the chart has made, in the namespace and beside it."""
    kinds = (
        "all,virtualservice,destinationrule,gateway.networking.istio.io,role,rolebinding,serviceaccount,networkpolicy"
    )
    there = kubectl("get", kinds, "-n", NAMESPACE, "-o", "name")
    fence = kubectl("get", "validatingadmissionpolicy,validatingadmissionpolicybinding", "-o", "name")
    return {*there.split(), *(one for one in fence.split() if NAMESPACE in one)}


def test_helm_uninstall_is_refused_before_it_has_deleted_anything(api: client.ApiClient, held: Claim) -> None:
    """The rights of the brake, the watchdog and the fence are of the same chart, and nothing holds these."""
    before = everything()
    with pytest.raises(RigError, match=f"{held.holder} holds this service; take its canary back with"):
        helm("uninstall", "app", "-n", NAMESPACE)
    assert everything() == before
    found = Helm(Path(CHART), "app", NAMESPACE, api, cluster()["HELM"]).status()
    assert found is not None
    assert found.status == "deployed"


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
