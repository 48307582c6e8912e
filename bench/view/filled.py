"""A large record: a release of a thousand looks under way, and five hundred that are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import glidepath.evidence.sampled as sampled
from glidepath.record import Record
from glidepath.release.events import Entered, WeightGiven
from glidepath.release.journal import Journal
from tests.support.apiserver import ApiServer
from tests.support.releases import DAG, undecided
from tests.support.stage import Stage

LOOKS, RELEASES = 1000, 500
LONG = f"{DAG}/manual__long+00:00"
MORE = ("mesh_errors", "spam")  # as many metrics as the demo's policy has


def fill(folder: Path, url: str) -> None:
    """Play one release, and make the others of it."""
    folder.mkdir(parents=True)
    sampled.wait_silent = lambda *_: 0.0
    record = Record(url)
    with ApiServer() as server:
        stage = Stage(server, folder)
        stage.record = record
        told = undecided(stage)
    [(_, interval, look), *_] = record.looks(told.run.id)
    release, claimed = told.run.release, told.run.journal.claimed()
    start = release.created
    record.open_release(replace(release, id=LONG, created=start + 1, phase="planned"))
    journal = Journal(record, LONG)
    if claimed:
        journal.write(claimed, start)
    record.move(LONG, "baking", frozenset({"planned"}))
    journal.write(Entered("baking"), start)
    journal.write(WeightGiven(1, 20, 0.1), start)
    for number in range(1, LOOKS + 1):
        record.add_look(LONG, number, start + 5 * number, interval, _look(look, number, start + 5 * number))
    for number in range(RELEASES):
        identity = f"{DAG}/manual__{number:03}+00:00"
        record.open_release(replace(release, id=identity, created=start - 600 * number, phase="planned"))
        Journal(record, identity).write(WeightGiven(1, 20, 0.1), start - 600 * number)
        record.close(
            identity, "promoted", "v2 was proven comparable to v1 and is the stable version", start - 600 * number + 300
        )


def _look(look: Mapping[str, Any], number: int, at: float) -> dict[str, Any]:
    """A look like the first, later, of more requests and metrics; its numbers are no copies, so they pack as real ones do."""
    random = np.random.default_rng(number)
    metrics = [*look["metrics"], *({**look["metrics"][0], "name": name} for name in MORE)]
    moved = [
        {**one, **dict(zip(("low", "effect", "high"), sorted(random.normal(0, 0.01, 3).tolist()), strict=True))}
        for one in metrics
    ]
    counts = {"stable_requests": 400 * number, "canary_requests": 100 * number, "step_canary_requests": 100 * number}
    return {**look, **counts, "at": at, "metrics": moved}
