"""A word to hand over."""

from __future__ import annotations

from glidepath.handover import PROMOTE, Word

VALUES = {"roles": {"stable": "v2", "canary": ""}}
WORD = Word(PROMOTE, "dag/run 1", "prices", "shop", "shop", "v1", "v2", "v2", VALUES)
