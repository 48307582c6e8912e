"""The trigger form: what a run is asked for, with what the policy says when nothing is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glidepath.operators.form import form
from glidepath.policy import Policy, load_policy
from glidepath.policy.spec import RunParams

POLICY = Path(__file__).parents[3] / "include" / "policies" / "model-service.yaml"


@pytest.fixture
def policy() -> Policy:
    return load_policy(POLICY)


def test_it_asks_for_all_that_a_run_may_say(policy: Policy) -> None:
    assert set(form(policy)) == set(form(None)) == set(RunParams.model_fields)


def test_a_version_must_be_named_only_where_nothing_else_names_one(policy: Policy) -> None:
    named = policy.model_copy(update={"version": "v7"})
    types = {given: form(given_policy)["version"].schema["type"] for given, given_policy in (
        ("nothing", policy.model_copy(update={"version": None})), ("policy", named), ("no policy", None),
    )}  # fmt: skip
    assert types == {"nothing": "string", "policy": ["null", "string"], "no policy": ["null", "string"]}
    assert form(named)["version"].value == "v7"
    assert "Empty: the policy's (v7)." in str(form(named)["version"].description)


def test_what_the_policy_has_is_said_and_the_form_is_json(policy: Policy) -> None:
    asked = form(policy)
    assert str([step.weight for step in policy.steps]) in str(asked["weights"].description)
    json.dumps({name: {"value": param.value, **param.schema} for name, param in asked.items()})
