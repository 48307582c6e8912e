"""Registers Glidepath with Airflow. Read in every task process: keep it light."""

from airflow.plugins_manager import AirflowPlugin


class GlidepathPlugin(AirflowPlugin):
    """Glidepath's entry in Airflow's plugin list."""

    name = "glidepath"
