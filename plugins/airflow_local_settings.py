"""Read by every Airflow process at its start. Those that run tasks load what the tasks need, once, before they fork.

Airflow reads the first `airflow_local_settings` it finds, `$AIRFLOW_HOME/config` first: with one of your own there,
copy these lines into it, or tasks start some seconds later.
"""

import sys

__all__: list[str] = []

if {"scheduler", "worker"} & set(sys.argv[1:3]):
    import glidepath.hooks.preload  # noqa: F401
