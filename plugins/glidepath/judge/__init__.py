"""The judge: the arithmetic of the gate. Pure functions and classes on frozen values; numpy and nothing else."""

from glidepath.judge.dispersion import Blocks
from glidepath.judge.judge import Judge
from glidepath.judge.plan import Plan, plan_judgement
from glidepath.judge.values import (
    ArmCounts,
    Interval,
    Look,
    MetricLook,
    MetricSettings,
    Settings,
    StepSettings,
    Verdict,
)

__all__ = [
    "ArmCounts", "Blocks", "Interval", "Judge", "Look", "MetricLook", "MetricSettings", "Plan", "Settings", "StepSettings", "Verdict",
    "plan_judgement",
]  # fmt: skip
