"""Recorded evidence: written out, judged again, and asked what another policy would have decided."""

from glidepath.replay.decisions import Change, backtest
from glidepath.replay.evidence import Header, Recording, Silence, read_evidence, write_evidence
from glidepath.replay.judging import looks, replanned, replay
from glidepath.replay.recorded import export

__all__ = [
    "Change", "Recording", "Header", "Silence", "backtest", "export", "looks", "read_evidence",
    "replanned", "replay", "write_evidence",
]  # fmt: skip
