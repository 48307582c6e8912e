"""What a guard sees: each look is recorded before it has an effect.

A guard that starts again rebuilds its judge from the record, so no evidence, edge or margin is ever chosen twice, and
goes on from the samples that were read last, so that guards that follow each other quickly see as much as one.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from glidepath.errors import EvidenceError, ReplacedError
from glidepath.evidence import Waiting
from glidepath.evidence.interval import Collected
from glidepath.gate import interval_of
from glidepath.judge import Interval, Judge, Look, Numbering, Plan
from glidepath.record.turns import GUARD, Turn
from glidepath.release.events import Resolution
from glidepath.release.resolution import at_edges, fits
from glidepath.release.run import Run, StepInForce
from glidepath.text import lines


@dataclass(frozen=True)
class Unwritten:
    """A look that is not in the record yet, and what it was read from."""

    look: Look
    interval: dict[str, Any] | None
    samples: dict[str, Any] | None


@dataclass(frozen=True)
class Fetched:
    """What telemetry said.

    Attributes:
        seen: An interval, what is missing for one, or why there is no answer.
        at: When it was asked, epoch seconds by the guard's clock.
        began: The same by a clock that does not jump, seconds.
        took_s: How long it took, seconds.
        due_s: So long after the time as of which it was asked there can be something new, seconds; less than 0 if there
            could have been, infinite where nobody knows.
    """

    seen: Collected | Waiting | EvidenceError
    at: float
    began: float
    took_s: float
    due_s: float


class Looks:
    """The looks of one release, and the judge that they feed.

    Args:
        run: The release.
        turn: The guard's turn, in which alone a look is written; None where there is no other guard.

    Attributes:
        seq: How many there are in the record.
        newest: The newest of them.
        no_data_since: Since when there has been no data, epoch seconds; None while there is.
        unwritten: The look that could not be written yet.
    """

    def __init__(self, run: Run, turn: Turn | None = None) -> None:
        self.run, self._turn = run, turn
        release = run.release
        assert release.plan is not None
        self.unwritten: Unwritten | None = None
        self._rebuild(Plan.from_dict(release.plan))
        versions = [run.control, run.canary]
        source = replace(run.source(), edges=self.plan.edges)
        planned, seen = self.plan.feasibility.requests_per_second, run.spec.evidence
        apart = frozenset(pod_apart.pod for pod_apart in self.plan.apart)
        self._watch = run.ports.evidence.watch(source, run.control, versions, seen.scrape, planned, seen.lag, apart)
        if turn is not None and turn.samples is not None:
            self._watch.resume(turn.samples)
        self._handed_on = self._watch.end
        if self.seq:
            run.say(f"guard: rebuilt from {self.seq} recorded looks; nothing is chosen anew")

    def _rebuild(self, plan: Plan) -> None:
        """The judge by a plan and the looks that are in the record."""
        self.plan, self.judge, self.seq, self.failures = plan, Judge(plan), 0, 0
        self.newest: Look | None = None
        self.no_data_since: float | None = None
        steps = Numbering()
        for seq, interval, look in self.run.ports.record.looks(self.run.id):
            if interval is not None:
                self.judge.look(steps.numbered(Interval.from_dict(interval)))
                self.no_data_since = None
            else:
                self.judge.no_data(look["at"], look["at"], look["reason"])
                self.no_data_since = self.no_data_since or look["at"]
                self.failures += 1
            self.seq, self.newest = seq, Look.from_dict(look)

    @property
    def gap_s(self) -> float:
        """Seconds of silence after which telemetry counts as broken: three scrapes."""
        return 3 * self.run.spec.evidence.scrape

    def fetch(self) -> Fetched:
        """Ask for what happened since the last look. It reads nothing but telemetry, and one thread at a time may call it."""
        began, now, due_s = time.monotonic(), self.run.now(), math.inf
        try:
            # By the clock of its samples: by ours, one that is wrong would ask for a time that has none.
            at = self._watch.now()
            seen: Collected | Waiting | EvidenceError = self._watch.collect(at)
            due_s = self._watch.due - at
        except EvidenceError as error:
            seen = error
        return Fetched(seen, now, began, time.monotonic() - began, due_s)

    def look(self, step: StepInForce, fetched: Fetched) -> Look | None:
        """Look at what was fetched, and record it; None when there is nothing new yet.

        Args:
            step: The one that was in force when it was asked for.
            fetched: What was fetched last.

        Raises:
            RecordError: It can't be written; `store` tries again.
            ReplacedError: Another guard has begun since.
        """
        seen, now = fetched.seen, fetched.at
        if isinstance(seen, EvidenceError):
            return self._no_data(now, str(seen))
        if isinstance(seen, Waiting):
            self._hand_on()
            if seen.silent_s <= self.gap_s:
                return None
            return self._no_data(now, f"{seen.why} for {min(seen.silent_s, 86400):.0f} s")
        try:
            self._check_edges(seen)
        except EvidenceError as error:
            return self._no_data(now, str(error))
        self.no_data_since = None
        interval = interval_of(seen, self.run.control, self.run.canary, step.weight, step.number)
        return self._write(self.judge.look(interval), interval.to_dict())

    def store(self) -> None:
        """Write the look that is not in the record yet. One that can't be written now is written in the next round.

        Raises:
            RecordError: It can't be written.
            ReplacedError: Another guard has begun since.
        """
        if self.unwritten is None:
            return
        unwritten, turn = self.unwritten, self._turn.number if self._turn else None
        look = unwritten.look.to_dict()
        self.run.ports.record.add_look(
            self.run.id, self.seq + 1, unwritten.look.at, unwritten.interval, look, turn, unwritten.samples
        )
        self.seq += 1
        self.unwritten, self.newest = None, unwritten.look
        name = f"look {self.seq}"
        self.run.say(lines.look_line(unwritten.look, name))
        for metric in unwritten.look.metrics:
            self.run.detail(f"{name}: {lines.metric_line(metric)}")

    def _no_data(self, now: float, reason: str) -> Look:
        self.failures += 1
        since = self.no_data_since = min(self.no_data_since or now, now)  # a clock may step back
        return self._write(self.judge.no_data(since, now, reason), None)

    def _write(self, look: Look, interval: dict[str, Any] | None) -> Look:
        self.unwritten = Unwritten(look, interval, self._watch.state())
        self._handed_on = self._watch.end
        self.store()
        return look

    def _hand_on(self) -> None:
        """Write down what was read without a look: a baseline. The next guard goes on from it."""
        if self._turn is None or self._watch.end in (None, self._handed_on):
            return
        state = self._watch.state()
        if not self.run.ports.record.turns.keep(self.run.id, GUARD, self._turn.number, self.run.now(), state):
            raise ReplacedError(f"another guard watches {self.run.id} since")
        self._handed_on = self._watch.end

    def _check_edges(self, collected: Collected) -> None:
        if collected.edges != tuple(self.plan.edges):
            raise EvidenceError(
                f"the latency buckets changed during the release: planned with {len(self.plan.edges)} edges, "
                f"now {len(collected.edges)}; both versions must expose the same bucket edges. Mend what changed them, or "
                "start the release anew"
            )
        if not fits(self.plan, collected.common):
            self._rebuild(self._at_edges(collected.common))

    def _at_edges(self, common: tuple[float, ...]) -> Plan:
        """The plan at the edges that both versions have, in the record and said."""
        plan = at_edges(self.plan, common)
        self.run.ports.record.replan(self.run.id, plan.to_dict())
        self.run.note(Resolution(len(plan.edges), list(common)))
        self.run.say(
            f"guard: {self.run.canary} has other latency buckets than {self.run.control}: judged at the {len(common)} edges that "
            f"both have, of {len(plan.edges)}"
        )
        for metric in plan.metrics:
            if metric.note:
                self.run.say(f"guard: WARNING: {metric.settings.name}: {metric.note}")
        return plan
