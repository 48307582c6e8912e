"""A recorded release to work on: the demo's policy, simulated traffic, and its record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from glidepath.gate import settings_of
from glidepath.judge import Interval, Judge, Verdict, plan_judgement
from glidepath.policy import Policy, ReleaseSpec, for_run
from glidepath.policy.load import parse_policy
from glidepath.record import Record, Release
from tests.unit.judge.traffic import EDGES, arm

POLICY = """\
service: model-service
namespace: sms-app
helm: {release: sms-app}
steps:
- {weight: 20, bake: 30s, min_requests: 300}
- {weight: 50, bake: 60s, min_requests: 2000}
metrics:
- {kind: errors, safety_margin: 0.006}
- {kind: latency, quantile: 0.95}
evidence: {source: app}
max_duration: 20m
"""


def policy(changed: str = "", to: str = "") -> Policy:
    """The policy, with one piece of its text replaced."""
    assert changed in POLICY
    return parse_policy(POLICY.replace(changed, to), "p.yaml", Path("/checkout"))


def spec() -> ReleaseSpec:
    """A run of it."""
    return for_run(policy(), {"version": "v2"})


def recorded(url: str, identity: str = "r1", seed: int = 1, errors: float = 0.005, most: int = 150) -> Record:
    """A record with one release: walked up the steps until decided, as the guard does, with one silence in it."""
    random, record = np.random.default_rng(seed), Record(url)
    plan = plan_judgement(settings_of(spec()), arm(random, 60_000), 600, EDGES, 100.0)
    judge, step, start = Judge(plan), 0, 1000.0
    outcome = None
    record.open_release(
        Release(id=identity, service="model-service", namespace="sms-app", stable="v1", canary="v2",
                spec=spec().to_dict(), plan=plan.to_dict(), token=1, phase="baking", outcome=None, reason=None,
                code_version="0.1.0", created=990.0, closed=None)
    )  # fmt: skip
    for seq in range(1, most + 1):
        if seq == 7:
            look = judge.no_data(start, start + 5, "Prometheus is away")
            record.add_look(identity, seq, look.at, None, look.to_dict())
            start += 5
            continue
        weight = plan.settings.steps[step].weight
        stable, canary = arm(random, 5 * (100 - weight)), arm(random, 5 * weight, errors)
        canary = replace(canary, by_pod={"v2-a": (canary.requests, canary.errors)})
        interval = Interval(start, start + 5, weight, stable, canary, step + 1)
        look = judge.look(interval)
        record.add_look(identity, seq, look.at, interval.to_dict(), look.to_dict())
        start += 5
        step += look.may_advance
        outcome = {Verdict.PASS: "promoted", Verdict.FAIL: "rolled_back"}.get(look.verdict)
        if outcome:
            break
    if outcome:
        record.close(identity, outcome, look.reason, start)
    return record
