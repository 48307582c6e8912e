"""Airflow on several hosts: CeleryExecutor, Postgres and Redis or Valkey, each host a network namespace of its own."""
