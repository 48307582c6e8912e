"""Between the policy, the evidence and the judge: settings and counts in the judge's words, live and in a replay."""

from glidepath.gate.intervals import arm, arm_counts, interval_of
from glidepath.gate.settings import settings_of

__all__ = ["arm", "arm_counts", "interval_of", "settings_of"]
