"""`python -m demo.down`: ends the demo's Airflow."""

from rig.airflow import Airflow
from rig.environment import STATE

if __name__ == "__main__":
    airflow = Airflow(STATE / "airflow")
    if airflow.pid() is not None:
        print("[demo] Airflow stops", flush=True)
        airflow.stop()
