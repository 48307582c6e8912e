"""Airflow triggers: what runs in the triggerer while tasks are deferred."""
