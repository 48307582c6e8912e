"""The former name of `triggers.queueing`: Airflow's database has it for tasks that were deferred before the move."""

from glidepath.triggers.queueing import HeldTrigger

__all__ = ["HeldTrigger"]
