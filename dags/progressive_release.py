"""One release DAG for each policy in include/policies: plan, claim, deploy, steps under a guard, promote or rollback.

plan -> claim -> deploy -> guard ─────────────────────────────────────────────┐
                     └───> step_1 ─> step_2 ─> ... ─> promote -> observe | rollback | ask ─> settle -> finish
ask_traffic: before step_1, if the policy has a person asked before the first requests
step_n: shift (weight) -> bake (deferred) -> gate (branch)
further_steps: closed; those that only a run's own weights would use, or one that began before the policy was shortened
observe: the old version stays warm for a while (deferred), if the policy says so
messages: people are told, beside all of it (deferred), if the policy says whom
announce: after observe, an asset's event for other DAGs, if the policy names one
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    BaseOperator,
    CronTriggerTimetable,
    Param,
    TaskGroup,
    TriggerRule,
)
from airflow.sdk.exceptions import AirflowException

from glidepath.errors import PolicyError
from glidepath.operators.asking import AskOperator
from glidepath.operators.assets import AnnounceOperator
from glidepath.operators.deferred import ANSWER, ENDING, BakeOperator, GuardOperator, ObserveOperator
from glidepath.operators.messages import TASK as TELLS
from glidepath.operators.messages import MessagesOperator
from glidepath.operators.tasks import (
    ClaimOperator,
    DeployOperator,
    FinishOperator,
    GateOperator,
    PlanOperator,
    PromoteOperator,
    RollbackOperator,
    SettleOperator,
    ShiftOperator,
)
from glidepath.operators.times import times_of
from glidepath.policy import MAX_STEPS, VERSION, Policy, dag_id_of, load_policy, policy_files

ASKED = (
    "The same buttons, with a reason that is recorded: "
    "[the release](/dags/{{ dag.dag_id }}/runs/{{ run_id | urlencode }}/plugin/release)."
)
POLICIES = Path(os.environ.get("GLIDEPATH_POLICIES", Path(__file__).resolve().parents[1] / "include" / "policies"))
GOOD_PATH = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS


def form(policy: Policy | None) -> dict[str, Param]:
    """The trigger form. What JSON Schema can't say, the plan task checks: order, unknown keys, the whole policy."""
    version = policy.version if policy else None
    wanted = f" Empty: the policy's ({version})." if version else ""
    weights = f" Empty: the policy's {[step.weight for step in policy.steps]}." if policy else ""
    return {
        "version": Param(
            version,
            type="string" if policy and not version and not policy.assets.start else ["null", "string"],
            pattern=VERSION,
            title="Version to release",
            description=f"The tag or the digest of its image, such as v2, 1.4.2 or sha256:...{wanted}",
        ),
        "weights": Param(
            None,
            type=["null", "array"],
            items={"type": "integer", "minimum": 1, "maximum": 99},
            maxItems=MAX_STEPS,
            title="Weights, percent",
            description=f"Ascending, one a line.{weights}",
        ),
        "bake": Param(None, type=["null", "string"], title="Minimum bake a step", description="Such as 90s or 2m."),
        "tolerance": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=1,
            maximum=3,
            title="Latency tolerance",
            description="1.10 lets the canary's quantile be 10 % above stable's.",
        ),
        "decision": Param(
            None,
            type=["null", "string"],
            enum=[None, "non-inferior", "superior"],
            title="Decision rule",
            description="non-inferior: comparable is enough. superior: it must be proven faster.",
        ),
        "override_freeze": Param(
            None,
            type=["null", "string"],
            minLength=8,
            title="Override a freeze",
            description="Why this release can't wait for the end of a freeze window. Recorded.",
        ),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Plan and render; touch nothing."),
    }


def schedule_of(policy: Policy) -> AssetOrTimeSchedule | CronTriggerTimetable | list[Asset] | str | None:
    """When Airflow starts runs by itself: at the policy's times, and at each event of its asset."""
    times = times_of(policy.schedule, policy.timezone)
    if policy.assets.start is None:
        return times
    asset = Asset(policy.assets.start)
    return AssetOrTimeSchedule(timetable=times, assets=[asset]) if isinstance(times, CronTriggerTimetable) else [asset]


def build(dag_id: str, policy: Policy | None, path: Path, refused: str = "") -> DAG:
    """The release DAG of one policy, or of one that is not valid: then `plan` refuses every run, and says why.

    A run that is under way goes on in either: what it needs of the policy it has in the record.
    """
    # An outage of half a minute, shorter than a lease, ends no release: 5 s, 10 s, 20 s between the tries, or a little more.
    retried: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(seconds=5), "retry_exponential_backoff": 2.0}
    deploying = timedelta(seconds=2 * policy.deploy_timeout) if policy else timedelta(hours=1)
    # What ends a release outlasts one of some minutes: a minute at most between its tries.
    ending = retried | {"retries": 8, "max_retry_delay": timedelta(minutes=1)}
    with DAG(
        dag_id,
        dag_display_name=dag_id if policy else f"{dag_id}: its policy is not valid",
        description=f"Releases {policy.service} in {policy.namespace}, step by step" if policy else refused,
        schedule=schedule_of(policy) if policy else None,
        catchup=False,
        max_active_runs=4,
        params=form(policy),
        render_template_as_native_obj=True,
        tags=["glidepath", policy.namespace if policy else "policy-error"],
        doc_md=__doc__ if policy else f"The policy is not valid:\n\n```\n{refused}\n```",
        default_args={"execution_timeout": ENDING + deploying},
    ) as dag:
        told = [TELLS] if policy and policy.messages else []
        ways = {"stay": "nothing_to_do", "late": "not_its_time"}
        plan = PlanOperator(task_id="plan", policy_path=str(path), refused=refused, go=["claim", *told], **ways)
        nothing_to_do, not_its_time = (EmptyOperator(task_id=one) for one in ways.values())
        # Nothing has begun: a minute of trying costs nobody anything.
        claim = ClaimOperator(task_id="claim", **(ending | {"retries": 4}))
        deploy = DeployOperator(task_id="deploy", **retried)
        guard = GuardOperator(task_id="guard", **retried)
        promote = PromoteOperator(task_id="promote", trigger_rule=GOOD_PATH, **retried)
        observe = ObserveOperator(task_id="observe", **retried)
        rollback = RollbackOperator(task_id="rollback", trigger_rule=GOOD_PATH, **ending)
        asks: dict[str, Any] = {"body": ASKED, "response_timeout": ANSWER, **retried}
        service = policy.service if policy else path.stem
        # The gates of steps that the release does not have are skipped.
        ask = AskOperator(
            task_id="ask", about="promotion", go="promote", subject=f"{service}: promote the canary?",
            trigger_rule=GOOD_PATH, **asks,
        )  # fmt: skip
        settle = SettleOperator(task_id="settle", trigger_rule=TriggerRule.ALL_DONE, **ending)
        finish = FinishOperator(task_id="finish", plan="plan", policy_path=str(path), **ending)

        # Nothing waits for messages.
        plan >> [claim, nothing_to_do, not_its_time, *(MessagesOperator(task_id=one, **retried) for one in told)]
        claim >> deploy >> guard
        before: BaseOperator = deploy
        # A run under way whose policy is not valid any more may have to ask.
        if policy is None or "traffic" in policy.approval.before:
            before = AskOperator(
                task_id="ask_traffic",
                about="traffic",
                go="step_1.shift",
                subject=f"{service}: begin with the canary?",
                **asks,
            )
            deploy >> before >> rollback
        for gate in steps(before, len(policy.steps) if policy else MAX_STEPS, retried):
            gate >> [promote, rollback, ask]
        ask >> [promote, rollback]
        promote >> observe
        if policy and policy.assets.promoted:
            observe >> AnnounceOperator(task_id="announce", asset=Asset(policy.assets.promoted), **retried)
        [observe, rollback] >> settle
        # No set-up belongs to it: whether the claim was had, failed, or was skipped with the whole run by a person's mark,
        # finish has to run; and who clears a task must not have Airflow clear the claim with it.
        [settle, guard] >> finish.as_teardown(on_failure_fail_dagrun=True)
    return dag


def steps(before: BaseOperator, planned: int, retried: Mapping[str, Any]) -> Iterator[BaseOperator]:
    """The steps, one after the other; of each its gate, which leads on to the ends of a release.

    Args:
        before: What the first comes after.
        planned: How many the policy has; the further ones are in a group of their own.
        retried: How their tasks are tried again.
    """
    further = further_steps(planned) if planned < MAX_STEPS else None
    for number in range(1, MAX_STEPS + 1):
        beside = further if further and number > planned else nullcontext()
        with beside, TaskGroup(f"step_{number}", tooltip=f"step {number}: shift, bake, gate"):
            shift = ShiftOperator(task_id="shift", step=number, trigger_rule=GOOD_PATH, **retried)
            bake = BakeOperator(task_id="bake", step=number, **retried)
            following = f"step_{number + 1}.shift" if number < MAX_STEPS else None
            gate = GateOperator(
                task_id="gate", step=number, next_step=following,
                promote="promote", rollback="rollback", ask="ask", **retried,
            )  # fmt: skip
        before >> shift >> bake >> gate
        before = gate
        yield gate


def further_steps(planned: int) -> TaskGroup:
    """A group, shown as one row until it is opened, of the steps beyond those that the policy has.

    Its tasks are called as if it were not there: a run that began by a policy of more steps goes on in it.
    """
    tooltip = f"steps beyond the policy's {planned}: of a run with more weights of its own"
    return TaskGroup("further_steps", prefix_group_id=False, tooltip=tooltip)


def read(path: Path) -> tuple[Policy | None, str]:
    """A file's policy, or why it has none."""
    try:
        return load_policy(path), ""
    except PolicyError as error:
        return None, str(error)


def built(dag_id: str, policy: Policy | None, path: Path, refused: str) -> DAG:
    """The DAG, or what stands in for it when Airflow does not take it, as with a schedule that is none."""
    try:
        dag = build(dag_id, policy, path, refused)
        dag.validate()
    except (ValueError, AirflowException) as error:
        given = f"with schedule {policy.schedule!r}" if policy and policy.schedule else "as it is"
        return build(dag_id, None, path, f"{path}: Airflow does not take its DAG {given}: {error}")
    return dag


if not POLICIES.is_dir():
    raise PolicyError(f"{POLICIES} is no folder; set GLIDEPATH_POLICIES to the one that holds the policies")
files: dict[str, list[Path]] = {}
for file in policy_files(POLICIES):
    files.setdefault(dag_id_of(file), []).append(file)
for name, [first, *others] in files.items():
    found, wrong = read(first)
    if others:
        names = ", ".join(one.name for one in (first, *others))
        found, wrong = None, f"{names} all give the DAG {name}; give each a `name` of its own"
    globals()[name] = built(name, found, first, wrong)
