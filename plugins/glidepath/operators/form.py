"""The trigger form of a release. What JSON Schema can't say, the plan task checks: order, unknown keys, the whole policy."""

from __future__ import annotations

from airflow.sdk import Param

from glidepath.policy import MAX_STEPS, VERSION, Policy


def form(policy: Policy | None) -> dict[str, Param]:
    """The parameters of a run; None for a policy that is not valid."""
    return {
        "version": _version(policy),
        "weights": _weights(policy),
        **_overrides(),
        "override_freeze": Param(
            None,
            type=["null", "string"],
            minLength=8,
            title="Override a freeze",
            description="Why this release can't wait for the end of a freeze window. Recorded.",
        ),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Plan and render; touch nothing."),
    }


def _version(policy: Policy | None) -> Param:
    version = policy.version if policy else None
    wanted = f" Empty: the policy's ({version})." if version else ""
    return Param(
        version,
        type="string" if policy and not version and not policy.assets.start else ["null", "string"],
        pattern=VERSION,
        title="Version to release",
        description=f"The tag or the digest of its image, such as v2, 1.4.2 or sha256:...{wanted}",
    )


def _weights(policy: Policy | None) -> Param:
    planned = f" Empty: the policy's {[step.weight for step in policy.steps]}." if policy else ""
    return Param(
        None,
        type=["null", "array"],
        items={"type": "integer", "minimum": 1, "maximum": 99},
        maxItems=MAX_STEPS,
        title="Weights, percent",
        description=f"Ascending, one a line.{planned}",
    )


def _overrides() -> dict[str, Param]:
    """What else of the policy a run may have otherwise."""
    return {
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
    }
