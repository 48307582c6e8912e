"""What a policy asks, in the judge's words."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from glidepath.gate import settings_of
from glidepath.judge.metrics import KINDS
from glidepath.policy import load_policy
from glidepath.policy.metrics import FORMS

POLICY = Path(__file__).parents[3] / "include/policies/model-service.yaml"


def test_every_form_has_a_kind_and_every_kind_a_form() -> None:
    forms = {get_args(form.model_fields["kind"].annotation)[0] for form in FORMS}
    assert forms | {"slow", "exceedance"} == set(KINDS)  # which latency asks for: by a threshold, and at each edge


def test_the_judge_is_told_what_the_policy_says() -> None:
    policy = load_policy(POLICY)
    told = settings_of(policy)
    assert [one.name for one in told.metrics] == [one.title for one in policy.metrics]
    assert [one.kind for one in told.metrics] == [one.kind for one in policy.metrics]
    assert [(one.weight, one.bake_s, one.min_requests) for one in told.steps] == [
        (one.weight, one.bake, one.min_requests) for one in policy.steps
    ]
    assert (told.alpha, told.beta, told.scrape_s) == (
        policy.false_rollback,
        policy.wrong_promote,
        policy.evidence.scrape,
    )
