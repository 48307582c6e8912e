"""What the demonstration and the tests on a cluster drive: Airflow, the service under traffic, and its witness."""
