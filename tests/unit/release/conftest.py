"""A stage for each test, without waiting for traffic to be seen silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crashes import Saved
from tests.support.stage import Stage

WINDOW = "after_promotion: {warm: 60s, holdback: 5}\n"


@pytest.fixture
def planned(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """A release of v2 to 20 and 80 %, just planned; calls that fail are tried again without a pause."""
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    return Saved(stage, stage.run(weights=[20, 80]), tmp_path)


@pytest.fixture
def windowed(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """The same with a window after the promotion, in which v1 keeps 5 %."""
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    return Saved(stage, stage.run(weights=[20, 80], policy=WINDOW), tmp_path)
