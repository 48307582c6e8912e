"""Faults that people make: with Airflow's runs, with a second release, with kubectl and helm."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from rig import stage
from rig.environment import NAMESPACE, RigError, cluster, helm, kubectl
from tests.faults.arena import DAGRUN_TIMEOUT_S, TIMEOUT_DAG
from tests.faults.by_hand import persons_helm
from tests.faults.catalogue import Fault
from tests.faults.scene import ALL, Scene
from tests.support.policies import DAG_ID
from tests.support.world import SERVICE, lease, split

RUNS, EDITS = "Airflow's runs", "Edits"
ADMIN = ("admin",)


def _mark(state: str) -> Fault:
    def strike(scene: Scene) -> None:
        scene.arena.airflow.call("PATCH", scene.path, {"state": state})

    return Fault(
        f"run-marked-{state}", RUNS, f"a person marks the run {state}", ALL, strike, run_free=True,
        run_lost=state == "success",
    )  # fmt: skip


def clear(scene: Scene) -> None:
    """Every task of the run is cleared: all begins again."""
    body = {"dry_run": False, "dag_run_id": scene.run_id, "only_failed": False, "reset_dag_runs": True}
    scene.arena.airflow.call("POST", f"/dags/{scene.dag_id}/clearTaskInstances", body)


def delete(scene: Scene) -> None:
    """Airflow deletes no running run: it is marked failed, and deleted as soon as Airflow lets go of it."""
    scene.arena.airflow.call("PATCH", scene.path, {"state": "failed"})

    def deleted() -> bool:
        try:
            scene.arena.airflow.call("DELETE", scene.path)
        except RigError as error:
            if " 409 " not in str(error):
                raise
            return False
        return True

    scene.arena.wait("the run's deletion", deleted, 120)


def timeout(scene: Scene) -> None:
    """Wait for Airflow to end the run by its dagrun_timeout."""
    scene.arena.wait(
        "the run's end",
        lambda: scene.arena.airflow.state(scene.dag_id, scene.run_id) == "failed",
        DAGRUN_TIMEOUT_S + 60,
    )
    scene.struck = time.time()


def remove_dag(scene: Scene) -> None:
    """The DAG file is gone for 40 s."""
    scene.arena.dag_file.unlink()
    scene.hold_until(40)
    scene.arena.restore_dag()
    scene.healed = time.time()


def second_run(scene: Scene) -> None:
    """Another release of the same service; it has to be refused, or, the first being over, to be one by itself."""
    other = scene.arena.airflow.trigger(DAG_ID, {"version": "v3", "weights": [20]})
    scene.others.append(f"{DAG_ID}/{other}")
    state = scene.arena.airflow.wait_run(DAG_ID, other, 240)
    assert state == "failed", f"the second run ended {state}"


def _edit_policy(what: str, words: str, changes: dict[str, object]) -> Fault:
    def strike(scene: Scene) -> None:
        scene.arena.edit_policy(changes)

    phases = tuple(one for one in ALL if one not in ("plan", "before weight"))
    return Fault(f"policy-{what}", EDITS, f"the policy's file {words}, from now on", phases, strike, ends=("promoted",))


def helm_in_flight(scene: Scene) -> None:
    """A helm upgrade with the weights in force is on its way to the API while the brake is pulled."""
    now, arena = split(), scene.arena
    arena.proxies.misbehave("kubernetes", mode="hold", verbs=["PATCH"], path="/virtualservices/", agent="^Helm")
    shares = f"istio.trafficSplit.stable={now[scene.stable]},istio.trafficSplit.canary={now[scene.canary]}"
    upgrade = subprocess.Popen(
        [cluster()["HELM"], "--kubeconfig", str(arena.home / "kubeconfig.json"), "upgrade", stage.RELEASE,
         str(stage.CHART), "-n", NAMESPACE, "--reuse-values", "--set", shares],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        arena.wait("helm's write", lambda: arena.proxies.hits("kubernetes") > 0 or upgrade.poll() is not None, 60)
        assert upgrade.poll() is None, f"helm ended before its write: {upgrade.stdout and upgrade.stdout.read()}"
        scene.struck = time.time()
        arena.airflow.call("PATCH", scene.path, {"state": "failed"})
        arena.wait("the brake", scene.safe, 30)
    finally:
        arena.proxies.misbehave("kubernetes")
    told, _ = upgrade.communicate(timeout=60)
    assert upgrade.returncode != 0, f"helm's upgrade went through after the brake: {told}"
    assert scene.safe(), f"helm gave the canary traffic after the brake: {split()}"
    scene.notes.append("helm: " + ("conflict" if "conflict" in told else told.strip()[-120:]))


def helm_by_hand(scene: Scene) -> None:
    """A person's helm gives the canary all traffic: it has to be refused, and to change nothing."""
    before = split()
    told = persons_helm(
        scene, "--reset-values", "--set", f"roles.stable={scene.stable},roles.canary={scene.canary}",
        "--set", "istio.trafficSplit.stable=0,istio.trafficSplit.canary=100",
    )  # fmt: skip
    assert "conflict" in told or "glidepath" in told, f"helm by hand was not refused: {told!r}, {split()}"
    assert split() == before, f"refused, and yet the routes were {before} and are {split()}"


def edit_weights(_: Scene) -> None:
    """A person's kubectl gives the canary another weight."""
    patch = '[{"op":"replace","path":"/spec/http/0/route/0/weight","value":7},{"op":"replace","path":"/spec/http/0/route/1/weight","value":93}]'
    kubectl("patch", "virtualservice", SERVICE, "-n", NAMESPACE, "--type=json", "-p", patch, "--field-manager=a-person")


def scale(scene: Scene) -> None:
    """A person scales the canary away."""
    kubectl("scale", f"deployment/{SERVICE}-{scene.canary}", "-n", NAMESPACE, "--replicas=0")


def delete_rule(_: Scene) -> None:
    """A person deletes the DestinationRule: refused while it is held, so it is opened first, as the guide says."""
    with suppress(RigError):
        kubectl("delete", "destinationrule", SERVICE, "-n", NAMESPACE, "--wait=false")
        raise AssertionError("a held DestinationRule could be deleted")
    mark = "glidepath.dev/state=open"
    kubectl("annotate", "--overwrite", "-n", NAMESPACE, f"destinationrule/{SERVICE}", mark)
    kubectl("delete", "destinationrule", SERVICE, "-n", NAMESPACE, "--wait=false")


def refused(*arguments: str, run: Callable[..., str] = kubectl) -> None:
    """A person does what the fence has to refuse, while the release holds the service."""
    if not holder():
        return
    with suppress(RigError):
        run(*arguments, "-n", NAMESPACE)
        assert not holder(), f"was not refused: {' '.join(arguments)}"


def holder() -> str:
    """Who holds the service."""
    return str(lease()["spec"].get("holderIdentity") or "")


def uninstall(_: Scene) -> None:
    """A person's helm removes the service, Glidepath's rights and the fence: refused as a whole."""
    refused("uninstall", stage.RELEASE, run=helm)
    found = json.loads(helm("status", stage.RELEASE, "-n", NAMESPACE, "-o", "json"))["info"]["status"]
    assert found != "uninstalling", found


def unlabel(_: Scene) -> None:
    """A person takes the label off by which the fence knows the routes, and then deletes them: both refused."""
    refused("label", f"virtualservice/{SERVICE}", "app-")
    refused("delete", f"virtualservice/{SERVICE}", "--wait=false")


def write_number(scene: Scene) -> None:
    """A person's kubectl writes the number of Glidepath's upgrades: Helm's next one would conflict over it."""
    kubectl(
        "annotate", "--overwrite", "-n", NAMESPACE, f"deployment/{SERVICE}-{scene.stable}", "glidepath.dev/write=3"
    )  # fmt: skip


def write_token(_: Scene) -> None:
    """A person's kubectl writes a token on the routes that no claim has had: the fence lets a higher one pass."""
    now = kubectl(
        "get",
        "virtualservice",
        SERVICE,
        "-n",
        NAMESPACE,
        "-o",
        r"jsonpath={.metadata.annotations.glidepath\.dev/token}",
    )
    mark = f"glidepath.dev/token={int(now or 0) + 10}"
    kubectl("annotate", "--overwrite", "-n", NAMESPACE, f"virtualservice/{SERVICE}", mark)


def delete_claim(_: Scene) -> None:
    """A person deletes the claim: refused while it is held, so it is freed first."""
    lease = f"lease/glidepath-{SERVICE}"
    with suppress(RigError):
        kubectl("delete", lease, "-n", NAMESPACE, "--wait=false")
        raise AssertionError("a claim that is held could be deleted")
    kubectl("patch", lease, "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"holderIdentity":""}}')
    kubectl("delete", lease, "-n", NAMESPACE, "--wait=false")


FAULTS = (
    _mark("failed"),
    _mark("success"),
    Fault("run-cleared", RUNS, "a person clears every task of the run", ALL, clear),
    Fault("run-deleted", RUNS, "a person marks the run failed and deletes it", ALL, delete,
          run_free=True, run_lost=True),
    Fault("dagrun-timeout", RUNS, "Airflow ends the run by its dagrun_timeout, which skips every task", ("baking",),
          timeout, run_lost=True, dag_id=TIMEOUT_DAG),
    Fault("dag-file-removed", RUNS, "the DAG file is gone for 40 s", ("deploy", "baking", "gate", "promoting"),
          remove_dag, run_lost=True),
    Fault("second-run", RUNS, "another release of the service is started", ("plan", "claim", "deploy", "baking",
          "promoting", "finish"), second_run),
    Fault("helm-in-flight", EDITS, "a helm upgrade with the weights in force is in flight while the brake is pulled",
          ("baking",), helm_in_flight, run_free=True, ends=("rolled_back",)),
    Fault("helm-by-hand", EDITS, "a person's helm upgrade gives the canary 100 %", ("deploy", "baking", "promoting"),
          helm_by_hand, people=ADMIN),
    Fault("weights-edited", EDITS, "a person's kubectl gives the canary 93 %", ("before weight", "baking", "harm",
          "gate", "promoting"), edit_weights, people=ADMIN, says="a-person"),
    _edit_policy("broken", "is no valid policy", {"steps": "none"}),
    _edit_policy("moved", "names another namespace and other connections", {"namespace": "elsewhere",
                 "connections": {"kubernetes": "nowhere", "prometheus": "nowhere"}}),
    Fault("canary-scaled-away", EDITS, "a person scales the canary to 0", ("before weight", "baking", "gate",
          "promoting"), scale, people=ADMIN, callers_may_fail=True, says="scaled to 0"),
    Fault("rule-deleted", EDITS, "a person opens the DestinationRule and deletes it", ("baking", "gate", "promoting"),
          delete_rule, people=ADMIN, callers_may_fail=True, says="subset"),
    Fault("claim-deleted", EDITS, "a person frees the claim by hand and deletes its Lease", ("deploy", "before weight",
          "baking", "harm", "gate", "promoting"), delete_claim, people=ADMIN, ends=("rolled_back",)),
    Fault("helm-uninstalled", EDITS, "a person's helm uninstall, which is refused", ("deploy", "baking", "harm",
          "promoting", "rolling back"), uninstall, people=ADMIN),
    Fault("label-removed", EDITS, "a person takes the routes' label off and deletes them, which is refused", ("baking",
          "harm", "promoting"), unlabel, people=ADMIN),
    Fault("number-written", EDITS, "a person writes the number of Glidepath's upgrades on the stable version", ("deploy",
          "baking", "harm", "promoting", "rolling back"), write_number, people=ADMIN, again=True),
    Fault("token-written", EDITS, "a person writes a higher token on the VirtualService", ("deploy", "baking", "harm",
          "promoting", "rolling back"), write_token, people=ADMIN),
)  # fmt: skip
