"""The evidence port: what happened to requests, per version, out of Prometheus' raw samples."""

from glidepath.evidence.collector import Collector, Counts, Waiting
from glidepath.evidence.prometheus import Prometheus
from glidepath.evidence.source import Source, app_source, mesh_source

__all__ = ["Collector", "Counts", "Prometheus", "Source", "Waiting", "app_source", "mesh_source"]
