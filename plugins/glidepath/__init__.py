"""Glidepath: progressive delivery for Kubernetes, orchestrated by Apache Airflow."""

__version__ = "0.1.0"


def code_version() -> str:
    """The version of this code, as the record keeps it."""
    return __version__
