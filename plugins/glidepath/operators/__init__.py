"""Airflow operators: one task of a release each. They turn Airflow's context into plain values and call the release."""
