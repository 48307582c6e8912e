"""The evidence port: what happened to requests, per version, out of Prometheus' raw samples."""

from glidepath.evidence.baseline import Baseline, baseline, pods_before
from glidepath.evidence.collector import Collector
from glidepath.evidence.interval import Waiting
from glidepath.evidence.port import Evidence, Watch
from glidepath.evidence.prometheus import Prometheus
from glidepath.evidence.sampled import SampledEvidence
from glidepath.evidence.selected import source_of
from glidepath.evidence.source import Source, app_source, mesh_source
from glidepath.evidence.tally import Counts

__all__ = [
    "Baseline", "Collector", "Counts", "Evidence", "Prometheus", "SampledEvidence", "Source", "Waiting", "Watch",
    "app_source", "baseline", "mesh_source", "pods_before", "source_of",
]  # fmt: skip
