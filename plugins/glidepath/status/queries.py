"""For each metric of a release the query that shows it in Prometheus, to copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from glidepath.errors import PolicyError
from glidepath.evidence import Source, source_of
from glidepath.evidence.source import Rule, narrowed, quoted
from glidepath.policy import ReleaseSpec
from glidepath.policy.metrics import MetricForm
from glidepath.record import Release

WINDOW = "1m"


def queries(release: Release) -> Mapping[str, str]:
    """By metric; empty for a release that this code can't read the policy of."""
    return _queries(json.dumps(release.spec), release.stable, release.canary)


@lru_cache(maxsize=256)
def _queries(spec_text: str, stable: str, canary: str) -> Mapping[str, str]:
    try:
        spec = ReleaseSpec.from_dict(json.loads(spec_text))
        source = source_of(spec, [stable, canary])
    except PolicyError:
        return {}
    return {metric.title: _query(metric, source) for metric in spec.metrics}


def _query(metric: MetricForm, source: Source) -> str:
    share = next((share for share in source.shares if share.name == metric.title), None)
    if share is not None:
        by = share.naming.label if share.naming else share.version_label
        return _ratio(by, (share.events, share.event), (share.of, share.among))
    by = source.naming.label if source.naming else source.version_label
    if not metric.reads_buckets:
        return _ratio(by, (source.requests, source.error), (source.requests, ()))
    quantile = metric.judged().get("quantile")
    if quantile is None:
        return f"sum by ({by}, le) (rate({source.latency}[{WINDOW}]))"
    le = "" if source.native else ", le"
    return f"histogram_quantile({quantile}, sum by ({by}{le}) (rate({source.latency}[{WINDOW}])))"


def _ratio(by: str, events: tuple[str, Rule], of: tuple[str, Rule]) -> str:
    some, all_ = (f"sum by ({by}) (rate({_of(*pair)}[{WINDOW}]))" for pair in (events, of))
    return f"{some} / {all_}"


def _of(selector: str, rule: Rule) -> str:
    more = ",".join(f"{label}=~{quoted(pattern)}" for label, pattern in rule)
    return narrowed(selector, more) if more else selector
