"""A release: its phases, the guard that judges it, and the actions that carry it out. Knows no Airflow."""
