"""Policies of the end-to-end tests: the demo's, quicker where only time is at stake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from rig.environment import REPO

DAG_ID = "release_model_service"


@contextmanager
def evidence(folder: Path, **changes: Any) -> Iterator[None]:
    """Let the folder's policy have these keys of `evidence` changed for a while; the next run's plan reads it."""
    file = folder / "model-service.yaml"
    before = file.read_text()
    policy = yaml.safe_load(before)
    policy["evidence"] |= changes
    try:
        file.write_text(yaml.safe_dump(policy, sort_keys=False))
        yield
    finally:
        file.write_text(before)


def write(folder: Path, **changes: Any) -> Path:
    """Put the demo's policy into a folder, with these keys changed; the folder."""
    policy = yaml.safe_load((REPO / "include" / "policies" / "model-service.yaml").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model-service.yaml").write_text(yaml.safe_dump(policy | changes, sort_keys=False))
    return folder
