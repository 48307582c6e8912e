"""The pages of releases inside Airflow, and the API that they are drawn from."""
