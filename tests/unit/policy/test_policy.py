"""Policies: what is accepted, what is refused and how, and what a run's parameters change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glidepath.errors import PolicyError
from glidepath.policy import MAX_STEPS, Policy, ReleaseSpec, dag_id_of, for_run, load_policy, policy_json_schema
from glidepath.policy.fields import seconds
from glidepath.policy.load import parse_policy

POLICIES = sorted((Path(__file__).resolve().parents[3] / "include" / "policies").glob("*.yaml"))
MINIMAL = """\
service: model-service
namespace: sms-app
helm: {release: sms-app}
steps:
- weight: 10
- {weight: 50, bake: 2m, min_requests: 500}
"""


def parsed(text: str) -> Policy:
    """A policy out of a text."""
    return parse_policy(text, "p.yaml", Path("/checkout"))


def refusal(text: str) -> str:
    """What a text is refused with."""
    with pytest.raises(PolicyError) as caught:
        parsed(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (MINIMAL, "release_model_service"),
        (f"name: staging-model\n{MINIMAL}", "release_staging_model"),
        (MINIMAL + "unknown: key\n", "release_model_service"),
        ("service: 'a b'", "release_of_me"),
        ("service: [", "release_of_me"),
        ("- a list", "release_of_me"),
    ],
)
def test_a_dag_has_its_name_whether_or_not_the_policy_is_valid(text: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "of me.yaml"
    path.write_text(text)
    assert dag_id_of(path) == name


def test_a_dag_of_a_file_that_is_not_there_or_no_text_is_called_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"service: \xff")
    assert [dag_id_of(tmp_path / name) for name in ("bytes.yaml", "gone.yaml")] == ["release_bytes", "release_gone"]


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_the_policies_of_the_project_are_valid_and_fit_the_schema(path: Path) -> None:
    policy = load_policy(path)
    assert Path(policy.helm.chart, "Chart.yaml").exists()
    jsonschema.validate(yaml.safe_load(path.read_text()), policy_json_schema())


def test_the_schema_in_the_repository_is_the_generated_one() -> None:
    stored = json.loads((POLICIES[0].parent / "policy.schema.json").read_text())
    assert stored == policy_json_schema(), "run: make schema"


def test_defaults_are_the_documented_ones() -> None:
    policy = parsed(MINIMAL)
    assert policy.helm.chart == "/checkout/include/helm-chart"
    assert (policy.on_undecided, policy.on_no_data.action, policy.decision) == ("rollback", "rollback", "non-inferior")
    assert [(metric.kind, metric.role) for metric in policy.metrics] == [
        ("errors", "critical"),
        ("latency", "critical"),
        ("share", "guard"),
    ]
    assert policy.evidence.source == "istio"
    assert (policy.false_rollback, policy.wrong_promote, policy.lease) == (0.01, 0.05, 50)
    assert policy.steps[1].bake == 120
    assert (policy.schedule, policy.timezone, policy.start_within) == (None, "UTC", 1800)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        ("stepz: []", 7, ["stepz", "unknown key"]),
        ("service: other", 7, ["'service' is there twice"]),
        ("version: 'v1; rm -rf /'", 7, ["version", "v1; rm -rf /"]),
        ("version: '{{ 7*7 }}'", 7, ["version"]),
        ("max_duration: soon", 7, ["max_duration", "soon", "45s, 2m or 1h30m"]),
        ("max_duration: 60s", 1, ["max_duration: 60 s", "bakes (180 s)"]),
        ("timezone: CET/Amsterdam", 7, ["timezone", "CET/Amsterdam", "IANA time zone such as Europe/Amsterdam"]),
        ("start_within: soon", 7, ["start_within", "soon", "45s, 2m or 1h30m"]),
        ("lease: 5s", 1, ["lease: 5 s", "three scrapes (15 s)"]),
        ("on_undecided: maybe", 7, ["on_undecided", "'rollback', 'hold' or 'promote'"]),
        ("metrics: [{kind: latency, tolerance: 0.5}]", 7, ["metrics[0].tolerance", "0.5"]),
        ("metrics: [{kind: errors, role: guard}]", 1, ["none is critical"]),
        ("metrics: [{kind: errors}, {kind: errors}]", 1, ["twice"]),
        ("metrics: [{kind: errors}, {kind: share, name: spam, margin: 0.05}]", 7, ["metrics[1]", "either `event`"]),
        (
            "metrics: [{kind: errors}, {kind: share, name: miss, margin: 0.05, event_counter: misses_total}]",
            7,
            ["metrics[1]", "event_counter needs `counter`"],
        ),
        (
            "metrics: [{kind: errors}, {kind: share, name: s, margin: 0.05, counter: 'x{} or y', event: {a: b}}]",
            7,
            ["metrics[1].counter", "x{} or y"],
        ),
        ("metrics: [{kind: errors, role: advisory}]", 1, ["none is critical"]),
        ("metrics: [{kind: errors}, {kind: mean, role: critical}]", 7, ["metrics[1].role", "critical", "advisory"]),
        ("metrics: [{kind: mean}]", 1, ["none is critical"]),
        (
            "metrics: [{kind: errors}, {kind: mean}]\nevidence: {source: app, histograms: native}",
            1,
            ["_sum and _count"],
        ),
        ("metrics: [{kind: errors}, {kind: mean, tolerance: 1.1}]", 7, ["metrics[1].tolerance", "unknown key"]),
        ("metrics: [{kind: errors, source: mesh}, {kind: errors, source: mesh}]", 1, ["errors_mesh", "twice"]),
        ("metrics: [{kind: errors}]\ndecision: superior", 1, ["superior needs a latency metric"]),
        ("false_rollback: 1.5", 7, ["false_rollback", "1.5"]),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(change: str, line: int, words: list[str]) -> None:
    told = refusal(MINIMAL + change)
    assert f"p.yaml:{line}: " in told
    for word in words:
        assert word in told


def test_a_fresh_baseline_leaves_room_for_itself() -> None:
    fresh = MINIMAL + "evidence: {control: fresh}"
    assert parsed(fresh).evidence.control == "fresh"
    told = refusal(fresh.replace("weight: 50", "weight: 60"))
    assert "as much as the canary, so expected at most 50" in told
    window = fresh + "\nafter_promotion: {warm: 10m, holdback: 5}"
    assert "are no fresh baseline to compare with" in refusal(window)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("[{weight: 50}, {weight: 10}]", ["[50, 10] must not fall"]),
        ("[{weight: 100}]", ["steps[0].weight", "100"]),
        ("[{weight: 0}]", ["steps[0].weight", "0"]),
        ("[{weight: '10'}]", ["steps[0].weight", "'10'"]),
        ("[]", ["steps"]),
        ("[" + ", ".join(f"{{weight: {n}}}" for n in range(1, MAX_STEPS + 2)) + "]", ["steps"]),
    ],
)
def test_steps_must_be_a_ramp(steps: str, words: list[str]) -> None:
    told = refusal(f"service: a\nnamespace: b\nhelm: {{release: c}}\nsteps: {steps}\n")
    for word in words:
        assert word in told


def test_two_steps_may_have_one_weight() -> None:
    policy = parsed(
        "service: a\nnamespace: b\nhelm: {release: c}\nsteps: [{weight: 5, bake: 1m}, {weight: 5, bake: 5m}]\n"
    )
    assert [(step.weight, step.bake) for step in policy.steps] == [(5, 60), (5, 300)]
    assert [step.weight for step in for_run(policy, {"version": "v2", "weights": [5, 5, 50]}).steps] == [5, 5, 50]


@pytest.mark.parametrize("text", ["", "- a", "a: [", "service: x", "\t"])
def test_what_is_no_policy_is_refused(text: str) -> None:
    assert refusal(text).startswith("p.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"gone\.yaml: the policy can't be read"):
        load_policy(tmp_path / "gone.yaml")


def test_a_run_without_parameters_is_the_policy() -> None:
    policy = parsed(MINIMAL + "version: v2\n")
    spec = for_run(policy, {"version": None, "weights": None, "dry_run": False})
    # What its preset counts is frozen with it.
    frozen = policy.model_copy(update={"evidence": policy.evidence.frozen()})
    assert spec.model_dump(exclude={"dry_run", "override_freeze", "tag", "digest"}) == frozen.model_dump()


def test_a_run_may_change_weights_bake_tolerance_and_decision() -> None:
    asked = {"version": "v3", "weights": [1, 5, 25], "bake": "90s", "tolerance": 1.2, "decision": "superior"}
    spec = for_run(parsed(MINIMAL), asked)
    assert [(step.weight, step.bake, step.min_requests) for step in spec.steps] == [
        (1, 90, 100), (5, 90, 500), (25, 90, 500),
    ]  # fmt: skip
    assert spec.metrics[1].tolerance == 1.2
    assert spec.metrics[0].tolerance == 0.10
    assert (spec.version, spec.decision) == ("v3", "superior")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, ["no version to release"]),
        ({"versoin": "v2"}, ["versoin", "unknown key", "Known are version, weights"]),
        ({"version": "v2", "weights": [50, 10]}, ["must not fall"]),
        ({"version": "v2", "weights": ["10"]}, ["weights[0]", "'10'"]),
        ({"version": "v2", "weights": [0]}, ["weights[0]"]),
        ({"version": "v2", "weights": []}, ["weights"]),
        ({"version": "v2", "weights": list(range(1, MAX_STEPS + 2))}, ["weights"]),
        ({"version": 'v2"} or vector(1)#'}, ["version"]),
        ({"version": "v2", "tolerance": 1}, ["tolerance"]),
        ({"version": "v2", "bake": "2 hours"}, ["bake", "2 hours"]),
        ({"version": "v2", "bake": "5h"}, ["max_duration"]),
        ({"version": "v2", "dry_run": "yes"}, ["dry_run"]),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        for_run(parsed(MINIMAL), params)
    for word in [*words, "othing was touched"]:
        assert word in str(caught.value)


def test_a_spec_survives_the_record() -> None:
    spec = for_run(parsed(MINIMAL), {"version": "v2", "weights": [7]})
    assert ReleaseSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    with pytest.raises(PolicyError, match="recorded spec"):
        ReleaseSpec.from_dict({"service": "a"})


@given(st.integers(0, 30), st.integers(0, 59), st.integers(0, 59))
def test_durations_add_up(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest}s") == 3600 * hours + 60 * minutes + rest


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5d", "1e3s", True, None, [5]])
def test_what_is_no_duration_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="45s, 2m or 1h30m"):
        seconds(text)
