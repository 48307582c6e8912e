"""The policy: what a release of one service may do. Typed, validated, with a JSON Schema."""

from glidepath.policy.helm import HelmForm, ValuePaths
from glidepath.policy.load import dag_id_of, load_policy, policy_files, policy_json_schema
from glidepath.policy.metrics import ErrorsMetric, LatencyMetric, MeanMetric, Metric, ShareMetric
from glidepath.policy.model import MAX_STEPS, Policy
from glidepath.policy.spec import ReleaseSpec, for_run
from glidepath.policy.versions import VERSION, Image, image_of, name_of

__all__ = [
    "MAX_STEPS", "VERSION", "ErrorsMetric", "HelmForm", "Image", "LatencyMetric", "MeanMetric", "Metric", "Policy", "ReleaseSpec", "ShareMetric",
    "ValuePaths", "dag_id_of", "for_run", "image_of", "load_policy", "name_of", "policy_files", "policy_json_schema",
]  # fmt: skip
