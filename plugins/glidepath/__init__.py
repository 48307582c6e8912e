"""Glidepath: progressive delivery for Kubernetes, orchestrated by Apache Airflow."""

from glidepath.version import code_version

__all__ = ["code_version"]
