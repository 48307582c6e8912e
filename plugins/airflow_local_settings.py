"""Read by every Airflow process at its start. Those that run tasks and triggers load what these need, once, before they fork.

Airflow reads the first `airflow_local_settings` it finds, `$AIRFLOW_HOME/config` first: with one of your own there,
copy these lines into it, or tasks start some seconds later.
"""

import sys

__all__: list[str] = []

if {"scheduler", "triggerer", "worker"} & set(sys.argv[1:3]):
    import glidepath.hooks.preload  # noqa: F401

if "triggerer" in sys.argv[1:2]:
    from glidepath.triggers.warm import warm_at_start

    warm_at_start()
