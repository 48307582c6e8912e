"""The former name of `triggers.step`: Airflow's database has it for tasks that were deferred before the move."""

from glidepath.triggers.step import BakeTrigger, ObserveTrigger

__all__ = ["BakeTrigger", "ObserveTrigger"]
