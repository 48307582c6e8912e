"""A freeze window refuses a release, unless somebody says why it can't wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.errors import PreflightError
from glidepath.policy import for_run
from glidepath.policy.load import parse_policy
from glidepath.release.preflight.state import thawed

ALWAYS = "{days: [mon, tue, wed, thu, fri, sat, sun], why: the big sale}"
POLICY = "service: a\nnamespace: b\nhelm: {release: c}\nsteps: [{weight: 10}]\nfreeze: [%s]\n"


def test_a_frozen_release_is_refused_and_an_override_is_told() -> None:
    said: list[str] = []
    policy = parse_policy(POLICY % ALWAYS, "p.yaml", Path("/checkout"))
    with pytest.raises(PreflightError, match=r"frozen until .*the big sale.*nothing was touched.*override_freeze"):
        thawed(for_run(policy, {"version": "v2"}), said.append, 0.0)
    thawed(for_run(policy, {"version": "v2", "override_freeze": "the site is down"}), said.append, 0.0)
    assert said[0].endswith("overridden: the site is down")
    thawed(for_run(policy, {"version": "v2", "dry_run": True}), said.append, 0.0)
    thawed(for_run(parse_policy(POLICY % "", "p.yaml", Path("/checkout")), {"version": "v2"}), said.append, 0.0)
    assert len(said) == 1
