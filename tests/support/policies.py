"""Policies of the end-to-end tests: the demo's, quicker where only time is at stake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import yaml

from rig.environment import REPO

DAG_ID = "release_model_service"


@contextmanager
def changed(folder: Path, **changes: Any) -> Iterator[None]:
    """Let the folder's policy have these keys changed for a while; the next run's plan reads it."""
    file = folder / "model-service.yaml"
    before = file.read_text()
    try:
        file.write_text(yaml.safe_dump(yaml.safe_load(before) | changes, sort_keys=False))
        yield
    finally:
        file.write_text(before)


def evidence(folder: Path, **changes: Any) -> AbstractContextManager[None]:
    """The same for these keys of `evidence` alone."""
    policy = yaml.safe_load((folder / "model-service.yaml").read_text())
    return changed(folder, evidence=policy["evidence"] | changes)


def write(folder: Path, **changes: Any) -> Path:
    """Put the demo's policy into a folder, with these keys changed; the folder."""
    policy = yaml.safe_load((REPO / "include" / "policies" / "model-service.yaml").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model-service.yaml").write_text(yaml.safe_dump(policy | changes, sort_keys=False))
    return folder
