"""Registers Glidepath with Airflow. Read in every task process: keep it light."""

from airflow.plugins_manager import AirflowPlugin

from glidepath.view.mounted import FASTAPI_APP, REACT_APPS


class GlidepathPlugin(AirflowPlugin):
    """Glidepath's entry in Airflow's plugin list: the API of releases, and their pages."""

    name = "glidepath"
    fastapi_apps = [FASTAPI_APP]
    react_apps = REACT_APPS
