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
from collections.abc import Iterator
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
    TaskGroup,
    TriggerRule,
)
from airflow.sdk.exceptions import AirflowException

from glidepath.errors import PolicyError
from glidepath.operators.asking import AskOperator
from glidepath.operators.assets import AnnounceOperator
from glidepath.operators.deferred import ANSWER, ENDING, BakeOperator, GuardOperator, ObserveOperator
from glidepath.operators.form import form
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
from glidepath.policy import MAX_STEPS, Policy, dag_id_of, load_policy, policy_files

ASKED = (
    "The same buttons, with a reason that is recorded: "
    "[the release](/dags/{{ dag.dag_id }}/runs/{{ run_id | urlencode }}/plugin/release)."
)
POLICIES = Path(os.environ.get("GLIDEPATH_POLICIES", Path(__file__).resolve().parents[1] / "include" / "policies"))
GOOD_PATH = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
# An outage of half a minute, shorter than a lease, ends no release: 5 s, 10 s, 20 s between the tries, or a little more.
RETRIED: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(seconds=5), "retry_exponential_backoff": 2.0}
# What ends a release outlasts one of some minutes: a minute at most between its tries.
PATIENT = RETRIED | {"retries": 8, "max_retry_delay": timedelta(minutes=1)}
# Of the claim: nothing has begun, so a minute of trying costs nobody anything.
CLAIMING = PATIENT | {"retries": 4}
# Ways out of `plan`: nothing is left to do, or a scheduled run begins too late.
WAYS = {"stay": "nothing_to_do", "late": "not_its_time"}


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
    deploying = timedelta(seconds=2 * policy.deploy_timeout) if policy else timedelta(hours=1)
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
        plan = PlanOperator(task_id="plan", policy_path=str(path), refused=refused, go=["claim", *told], **WAYS)
        # Nothing waits for messages.
        plan >> [EmptyOperator(task_id=way) for way in WAYS.values()]
        plan >> [MessagesOperator(task_id=each, **RETRIED) for each in told]
        plan >> release(policy, path)
    return dag


def release(policy: Policy | None, path: Path) -> BaseOperator:
    """The way of a release from `claim`, which is given back, to `finish`."""
    service = policy.service if policy else path.stem
    claim = ClaimOperator(task_id="claim", **CLAIMING)
    deploy = DeployOperator(task_id="deploy", **RETRIED)
    guard = GuardOperator(task_id="guard", **RETRIED)
    promote = PromoteOperator(task_id="promote", trigger_rule=GOOD_PATH, **RETRIED)
    observe = ObserveOperator(task_id="observe", **RETRIED)
    rollback = RollbackOperator(task_id="rollback", trigger_rule=GOOD_PATH, **PATIENT)
    # The gates of steps that the release does not have are skipped.
    ask = asked("ask", "promotion", "promote", f"{service}: promote the canary?", trigger_rule=GOOD_PATH)
    settle = SettleOperator(task_id="settle", trigger_rule=TriggerRule.ALL_DONE, **PATIENT)
    finish = FinishOperator(task_id="finish", plan="plan", policy_path=str(path), **PATIENT)

    claim >> deploy >> guard
    before: BaseOperator = deploy
    # A run under way whose policy is not valid any more may have to ask.
    if policy is None or "traffic" in policy.approval.before:
        before = asked("ask_traffic", "traffic", "step_1.shift", f"{service}: begin with the canary?")
        deploy >> before >> rollback
    for gate in steps(before, len(policy.steps) if policy else MAX_STEPS):
        gate >> [promote, rollback, ask]
    ask >> [promote, rollback]
    promote >> observe
    if policy and policy.assets.promoted:
        observe >> AnnounceOperator(task_id="announce", asset=Asset(policy.assets.promoted), **RETRIED)
    [observe, rollback] >> settle
    # No set-up belongs to it: whether the claim was had, failed, or was skipped with the whole run by a person's mark,
    # finish has to run; and who clears a task must not have Airflow clear the claim with it.
    [settle, guard] >> finish.as_teardown(on_failure_fail_dagrun=True)
    return claim


def asked(task_id: str, about: str, go: str, subject: str, **more: Any) -> AskOperator:
    """The task that asks a person before something, and then goes on to `go`."""
    return AskOperator(
        task_id=task_id, about=about, go=go, subject=subject, body=ASKED, response_timeout=ANSWER, **RETRIED, **more
    )


def steps(before: BaseOperator, planned: int) -> Iterator[BaseOperator]:
    """The steps, one after the other; of each its gate, which leads on to the ends of a release.

    Args:
        before: What the first comes after.
        planned: How many the policy has; the further ones are in a group of their own.
    """
    further = further_steps(planned) if planned < MAX_STEPS else None
    for number in range(1, MAX_STEPS + 1):
        beside = further if further and number > planned else nullcontext()
        with beside, TaskGroup(f"step_{number}", tooltip=f"step {number}: shift, bake, gate"):
            shift = ShiftOperator(task_id="shift", step=number, trigger_rule=GOOD_PATH, **RETRIED)
            bake = BakeOperator(task_id="bake", step=number, **RETRIED)
            following = f"step_{number + 1}.shift" if number < MAX_STEPS else None
            gate = GateOperator(
                task_id="gate", step=number, next_step=following,
                promote="promote", rollback="rollback", ask="ask", **RETRIED,
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
