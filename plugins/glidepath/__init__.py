"""Glidepath: progressive delivery for Kubernetes, orchestrated by Apache Airflow."""
