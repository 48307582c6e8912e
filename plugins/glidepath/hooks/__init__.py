"""Airflow hooks: connections turned into ports."""
