"""The release DAG: what Airflow makes of the file, and of policies that are wrong."""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk import DAG, CronTriggerTimetable, TriggerRule
from airflow.sdk.exceptions import ParamValidationError

from glidepath.errors import PolicyError
from glidepath.policy import MAX_STEPS, load_policy

REPO = Path(__file__).resolve().parents[3]
FILE = REPO / "dags" / "progressive_release.py"
GOOD = (REPO / "include" / "policies" / "model-service.yaml").read_text()
DAILY = GOOD.replace("schedule: null", "schedule: '@daily'\nversion: v2")


def dags(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, DAG]:
    """The DAGs that the file builds of a folder of policies."""
    monkeypatch.setenv("GLIDEPATH_POLICIES", str(folder))
    found = runpy.run_path(str(FILE))
    built = {value.dag_id: value for value in found.values() if isinstance(value, DAG)}
    for one in built.values():
        one.validate()  # as Airflow does when it reads the file
    return built


@pytest.fixture
def dag(monkeypatch: pytest.MonkeyPatch) -> DAG:
    """That of the project's own policy."""
    return dags(REPO / "include" / "policies", monkeypatch)["release_model_service"]


def upstream(dag: DAG, task: str) -> set[str]:
    """The tasks right before one."""
    return set(dag.get_task(task).upstream_task_ids)


def test_the_order_is_that_of_a_release(dag: DAG) -> None:
    assert upstream(dag, "claim") == {"plan"}
    assert upstream(dag, "deploy") == {"claim"}
    assert upstream(dag, "guard") == {"deploy"}
    assert upstream(dag, "step_1.shift") == {"deploy"}
    for number in range(1, MAX_STEPS + 1):
        assert upstream(dag, f"step_{number}.bake") == {f"step_{number}.shift"}
        assert upstream(dag, f"step_{number}.gate") == {f"step_{number}.bake"}
        if number > 1:
            assert upstream(dag, f"step_{number}.shift") == {f"step_{number - 1}.gate"}
    gates = {f"step_{number}.gate" for number in range(1, MAX_STEPS + 1)}
    for end in ("promote", "rollback"):
        assert upstream(dag, end) == gates | {"ask"}
    assert upstream(dag, "observe") == {"promote"}
    assert upstream(dag, "settle") == {"observe", "rollback"}


TOLD = f"{GOOD}\nmessages: [{{to: cloudevents, connection: broker}}]\n"


def test_nothing_waits_for_messages_and_they_are_a_task_only_where_somebody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dag: DAG
) -> None:
    (tmp_path / "model-service.yaml").write_text(TOLD)
    telling = dags(tmp_path, monkeypatch)["release_model_service"]
    assert upstream(telling, "messages") == {"plan"}
    assert set(telling.get_task("messages").downstream_task_ids) == set()
    assert telling.get_task("plan").go == ["claim", "messages"]
    assert not dag.has_task("messages")
    assert dag.get_task("plan").go == ["claim"]


def test_assets_start_a_release_beside_the_schedule_and_announce_a_promotion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dag: DAG
) -> None:
    from airflow.sdk import Asset, AssetOrTimeSchedule

    (tmp_path / "a.yaml").write_text(f"{GOOD}\nassets: {{start: image, promoted: stable}}\n")
    (tmp_path / "b.yaml").write_text(f"{DAILY}\nname: daily\nassets: {{start: image}}\n")
    found = dags(tmp_path, monkeypatch)
    by_event, daily = found["release_model_service"], found["release_daily"]
    assert by_event.schedule == [Asset("image")]
    assert by_event.params.get_param("version").schema["type"] == ["null", "string"]
    assert isinstance(daily.schedule, AssetOrTimeSchedule)
    announce = by_event.get_task("announce")
    assert announce.outlets == announce.inlets == [Asset("stable")]
    assert upstream(by_event, "announce") == {"observe"}
    assert announce.downstream_task_ids == set()
    assert not daily.has_task("announce")
    assert not dag.has_task("announce")


def test_the_question_leads_to_the_releases_page(dag: DAG) -> None:
    ask = dag.get_task("ask")
    rendered = ask.render_template(ask.body, {"dag": dag, "run_id": "manual__2026-11-24T05:02:44+00:00"})
    path = "/dags/release_model_service/runs/manual__2026-11-24T05%3A02%3A44%2B00%3A00/plugin/release"
    assert f"[the release]({path})" in rendered


def test_what_must_run_whatever_happens_does(dag: DAG) -> None:
    assert dag.get_task("settle").trigger_rule == TriggerRule.ALL_DONE
    finish = dag.get_task("finish")
    assert finish.is_teardown
    assert finish.on_failure_fail_dagrun
    assert {"settle", "guard"} <= upstream(dag, "finish")
    # With ONE_SUCCESS it would run in the middle of a good release.
    # With ALL_SUCCESS the question would be skipped with the gates of steps that a release does not have, and both ends run.
    for end in ("ask", "promote", "rollback"):
        assert dag.get_task(end).trigger_rule == TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS


def test_clearing_a_task_clears_no_claim(dag: DAG) -> None:
    # Airflow would clear a task's set-ups with it, and skip a teardown whose set-up failed or was skipped.
    assert not [task.task_id for task in dag.tasks if task.is_setup]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("claim", 60), ("deploy", 30), ("guard", 30), ("step_1.shift", 30), ("step_1.bake", 30), ("step_1.gate", 30),
        ("promote", 30), ("observe", 30), ("rollback", 240), ("settle", 240), ("finish", 240),
    ],
)  # fmt: skip
def test_each_task_outlasts_an_outage_and_what_begins_or_ends_a_release_a_longer_one(
    dag: DAG, name: str, seconds: float
) -> None:
    task = dag.get_task(name)
    longest = task.max_retry_delay.total_seconds() if task.max_retry_delay else math.inf
    delays = [task.retry_delay.total_seconds() * task.retry_exponential_backoff**n for n in range(task.retries)]
    assert sum(min(one, longest) for one in delays) > seconds
    assert delays[0] <= 5


@pytest.mark.parametrize(
    "conf",
    [
        {"version": "v2; reboot"}, {"version": "v2/3"}, {"version": "v2", "weights": ["ten"]}, {"version": "v2", "weights": [0]},
        {"version": "v2", "weights": list(range(1, MAX_STEPS + 2))}, {"version": "v2", "tolerance": 1},
        {"version": "v2", "decision": "maybe"}, {"version": "v2", "dry_run": "yes"}, {"version": "v2", "override_freeze": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_the_form_refuses_what_a_schema_can(dag: DAG, conf: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        validated(dag, conf)


def validated(dag: DAG, conf: dict[str, Any]) -> None:
    for name, value in conf.items():
        dag.params.get_param(name).resolve(value)


def test_the_form_takes_what_a_run_may_say(dag: DAG) -> None:
    validated(dag, {"version": "v2", "weights": [5, 25, 50], "bake": "90s", "tolerance": 1.2, "decision": "superior"})


def test_one_dag_a_policy_and_a_broken_one_takes_no_other_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model-service.yaml").write_text(GOOD)
    (tmp_path / "other.yml").write_text(GOOD.replace("service: model-service", "service: prices"))
    (tmp_path / "policy.schema.json").write_text("{}")
    (tmp_path / "wrong one.yaml").write_text("steps: [")
    found = dags(tmp_path, monkeypatch)
    assert set(found) == {"release_model_service", "release_prices", "release_wrong_one"}
    assert "wrong one.yaml:1: not valid YAML" in str(found["release_wrong_one"].doc_md)


def test_a_policy_that_is_broken_keeps_its_dag_and_every_task_for_runs_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "any-name.yaml"
    file.write_text(DAILY + "approval: {before: traffic}\n")
    (good,) = dags(tmp_path, monkeypatch).values()
    file.write_text(DAILY.replace("weight: 20", "weight: 200"))
    (broken,) = dags(tmp_path, monkeypatch).values()
    assert broken.dag_id == good.dag_id == "release_model_service"
    for one in good.tasks:
        other = broken.get_task(one.task_id)
        assert (type(other), other.trigger_rule, other.upstream_task_ids) == (
            type(one), one.trigger_rule, one.upstream_task_ids,
        )  # fmt: skip
    assert isinstance(good.schedule, CronTriggerTimetable)
    assert broken.schedule is None
    told = "any-name.yaml:13: steps[0].weight: given 200"
    assert told in str(broken.doc_md)
    assert told in str(broken.description)
    assert good.description == "Releases model-service in sms-app, step by step"
    assert broken.dag_display_name == "release_model_service: its policy is not valid"
    assert told in broken.get_task("plan").refused
    validated(broken, {"version": "v2"})


def test_a_folder_that_is_not_there_is_an_error_and_not_no_dags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PolicyError, match="gone is no folder; set GLIDEPATH_POLICIES"):
        dags(tmp_path / "gone", monkeypatch)


@pytest.mark.parametrize("schedule", ["every day", "@dayly", "61 * * * *"])
def test_a_schedule_that_is_none_takes_no_other_dag_down(
    schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.yaml").write_text(GOOD.replace("service: model-service", "service: prices"))
    (tmp_path / "wrong.yaml").write_text(DAILY.replace("@daily", schedule))
    found = dags(tmp_path, monkeypatch)
    assert not found["release_prices"].get_task("plan").refused
    told = found["release_model_service"].get_task("plan").refused
    assert "wrong.yaml: Airflow does not take its DAG" in told
    assert schedule in told


def test_two_policies_of_one_name_are_both_refused_and_a_name_tells_them_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "production.yaml").write_text(GOOD)
    (tmp_path / "staging.yaml").write_text(GOOD.replace("namespace: sms-app", "namespace: staging"))
    (both,) = dags(tmp_path, monkeypatch).values()
    assert both.get_task("plan").refused == (
        "production.yaml, staging.yaml all give the DAG release_model_service; give each a `name` of its own"
    )
    staging = "name: model-service-staging\n" + GOOD.replace("namespace: sms-app", "namespace: staging")
    (tmp_path / "staging.yaml").write_text(staging)
    found = dags(tmp_path, monkeypatch)
    assert set(found) == {"release_model_service", "release_model_service_staging"}
    assert not any(one.get_task("plan").refused for one in found.values())


def test_steps_that_the_policy_does_not_have_are_in_one_group_that_is_closed(dag: DAG) -> None:
    """Airflow's pages show a closed group as one row; its tasks keep their names, so that policies may grow and shrink."""
    steps = len(load_policy(REPO / "include" / "policies" / "model-service.yaml").steps)
    groups = dag.task_group.get_task_group_dict()
    assert set(groups["further_steps"].children) == {f"step_{number}" for number in range(steps + 1, MAX_STEPS + 1)}
    assert {f"step_{number}" for number in range(1, steps + 1)} <= set(groups[None].children)
    assert {f"step_{number}.shift" for number in range(1, MAX_STEPS + 1)} <= set(dag.task_ids)


def test_a_policy_with_as_many_steps_as_there_can_be_has_no_further_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = yaml.safe_load(GOOD)
    policy["steps"] = [{**policy["steps"][0], "weight": 10 * number} for number in range(1, MAX_STEPS + 1)]
    (tmp_path / "full.yaml").write_text(yaml.safe_dump(policy))
    [full] = dags(tmp_path, monkeypatch).values()
    assert "further_steps" not in full.task_group.get_task_group_dict()
