"""The judge: the arithmetic of the gate. Pure functions and classes on frozen values; numpy and nothing else."""

from glidepath.judge.counts import ArmCounts, Interval, Numbering
from glidepath.judge.dispersion import Blocks, Stretch
from glidepath.judge.judge import Judge
from glidepath.judge.plan import Plan
from glidepath.judge.planning import plan_judgement
from glidepath.judge.settings import MetricSettings, Settings, StepSettings
from glidepath.judge.values import Look, MetricLook, Verdict

__all__ = [
    "ArmCounts", "Blocks", "Interval", "Judge", "Look", "MetricLook", "MetricSettings", "Numbering", "Plan", "Settings",
    "StepSettings", "Stretch", "Verdict", "plan_judgement",
]  # fmt: skip
