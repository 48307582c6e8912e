"""The policy: what a release of one service may do. Typed, validated, with a JSON Schema."""

from glidepath.policy.load import dag_id_of, load_policy, policy_json_schema
from glidepath.policy.model import MAX_STEPS, ErrorsMetric, LatencyMetric, Metric, Policy, ShareMetric, metric_name
from glidepath.policy.spec import ReleaseSpec, for_run

__all__ = [
    "MAX_STEPS", "ErrorsMetric", "LatencyMetric", "Metric", "Policy", "ReleaseSpec", "ShareMetric", "dag_id_of", "for_run",
    "load_policy", "metric_name", "policy_json_schema",
]  # fmt: skip
