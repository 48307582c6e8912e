"""The guard: the one place of a release that looks and judges, from first traffic to the end.

Every look is recorded before it has an effect; a guard that starts again rebuilds its judge from the record, so no
evidence, edge or margin is ever chosen twice. Harm proven means 100/0 at once, by the guard itself.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

from glidepath.claim.state import TAKE_BACK
from glidepath.errors import ClaimLostError, ClusterError, EvidenceError, RecordError, StaleWriteError
from glidepath.evidence import Collector, Waiting
from glidepath.evidence.collector import Collected
from glidepath.judge import Interval, Judge, Look, Plan, Verdict
from glidepath.policy.model import LONGEST
from glidepath.release import words
from glidepath.release.brake import brake, committed, fate, note_taken_back, take_back, taken_back, way_back
from glidepath.release.drift import objects_drift, own_brake, routes_drift
from glidepath.release.keep import RENEWALS
from glidepath.release.leftovers import sweep
from glidepath.release.phases import Decision, Phase
from glidepath.release.plan import interval_of
from glidepath.release.run import Run, Step
from glidepath.release.window import Window, window

# The phases in which the canary has traffic and no fate need be written yet.
WATCHED = frozenset({Phase.BAKING, Phase.PROMOTING, Phase.OBSERVING})


class Guard:
    """Judges one release. Call `tick` about twice a scrape, from one thread at a time.

    Args:
        run: The release.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        release = run.release
        assert release.plan is not None
        self.plan = Plan.from_dict(release.plan)
        self.judge = Judge(self.plan)
        self.seq = 0
        self._renewed = -math.inf
        self._started = release.created
        self._no_data_since: float | None = None
        self._lost = False
        self._newest: Look | None = None
        self._unwritten: tuple[Look, dict[str, Any] | None] | None = None
        self._shown = -math.inf
        self.window = window(run.spec)
        for self.seq, interval, look in run.ports.record.looks(run.id):
            if interval is not None:
                self.judge.look(Interval.from_dict(interval))
                self._no_data_since = None
            else:
                self.judge.no_data(look["at"], look["at"], look["reason"])
                self._no_data_since = self._no_data_since or look["at"]
            self._newest = Look.from_dict(look)
        versions = [run.control, run.canary]
        scrape_s = run.spec.evidence.scrape
        source = replace(run.source(), edges=self.plan.edges)
        self.collector = Collector(run.ports.prometheus, source, run.control, versions, scrape_s)
        if self.seq:
            run.say(f"guard: rebuilt from {self.seq} recorded looks; nothing is chosen anew")

    def tick(self) -> bool:
        """Look once; False when the release is over and the guard may end."""
        if self.run.release.outcome is not None:
            if math.isfinite(self._renewed):  # it was at work, perhaps until a moment ago
                sweep(self.run)
            return False
        self._remember()
        self._renew()
        if taken_back(self.run):
            self._hold_back()
        elif self.run.release.phase in WATCHED and not committed(self.run):
            step = self.run.step()
            if step.number:
                self._watch(step)
            else:
                self._adopt()
        return True

    def _remember(self) -> None:
        """Write down what was seen before the claim is renewed: a guard that can't leaves the service to the watchdog.

        Raises:
            RecordError: The record can't be written. Harm that was proven is taken back all the same.
        """
        try:
            self._store()
        except RecordError:
            seen = self._unwritten[0] if self._unwritten else None
            if seen is not None and seen.verdict is Verdict.FAIL:
                brake(self.run, words.verdict(seen))
            raise

    def _adopt(self) -> None:
        """The first weight is in force, but its task died before it wrote that down: no weight stays unwatched."""
        first, entered = self.run.spec.steps[0], self.run.ports.record.last_event(self.run.id, "phase")
        if entered is None or 0 <= self.run.now() - entered.at < self.gap_s:
            return  # the task may be about to
        split = self.run.ports.traffic.read().split
        if split.canary_weight == first.weight:
            self.run.note("weight", once="weight:1", step=1, weight=first.weight, seconds=None)
            self.run.say(f"guard: {split} is in force and was not noted; watched from here on")

    def _watch(self, step: Step) -> None:
        # What is known to be harm is acted upon before anything new is looked at: that needs no telemetry.
        if self._newest is not None and self._newest.verdict is Verdict.FAIL:
            self._act(self._newest, step)
        elif self._asked(step) or self._drifted(step):
            return
        elif self.window is not None and step.number == self.window.number:
            self._observe(step, self.window)
        else:
            self._look(step)
            self._deadline(step)

    def _observe(self, step: Step, window: Window) -> None:
        """The window after a promotion: look on, and say when it is over."""
        if self.run.ports.record.once(self.run.id, f"decision:{step.number}"):
            return
        if window.judged:
            self._look(step)
        else:
            self._show_life()
        waited, newest = self.run.now() - step.since, self._newest
        doubt = self._no_data_since is not None or (newest is not None and newest.suspicious)
        if waited >= window.warm_s * (LONGEST if window.judged and doubt else 1):
            self._over(step, f"{self.run.stable} was kept warm for {waited:.0f} s and no harm was proven")

    def _over(self, step: Step, reason: str) -> None:
        body = {"step": step.number, "decision": str(Decision.PROMOTE), "reason": reason, "look": self.seq}
        if not taken_back(self.run) and self.run.note("window", once=f"decision:{step.number}", **body):
            self.run.say(f"guard: the window is over: {reason}")

    def _show_life(self) -> None:
        """Without looks something else has to say in the record that the guard is there."""
        now = self.run.now()
        if now - self._shown >= self.run.spec.lease:
            self.run.note("watching")
            self._shown = now

    def _asked(self, step: Step) -> bool:
        """Whether a person's word on the Lease was followed: take it back, or end the window early."""
        asked = self.run.ports.claims.asked(self.run.claim)
        if asked is None:
            return False
        if asked.what == TAKE_BACK:
            self.decide(step, Decision.ROLLBACK, f"taken back by {asked.who}: {asked.why}")
            return True
        if self.window is not None and step.number == self.window.number:
            self._over(step, f"ended early by {asked.who}: {asked.why}")
        return False

    def _hold_back(self) -> None:
        try:
            brake(self.run, "the release was taken back")
        except ClaimLostError as error:
            if not self._lost:
                self.run.say(f"guard: traffic is the next holder's to keep: {error}")
            self._lost = True

    def _drifted(self, step: Step) -> bool:
        """Whether somebody else changed what the release needs; then nothing is judged, and the policy's answer given."""
        routes = routes_drift(self.run, step.number)
        drift = routes or objects_drift(self.run)
        if drift is None or fate(self.run.ports.record, self.run.id) is not None or self.run.step() != step:
            return False
        if routes and (braked := own_brake(self.run)):
            self.decide(step, Decision.ROLLBACK, braked)
            return True
        self.run.note("drift", what=drift, step=step.number)
        self.run.say(f"guard: drift: {drift}")
        # Whoever put all traffic on stable is never overruled.
        if routes and self.run.spec.on_drift == "restore" and not self.run.ports.traffic.all_on(self.run.stable):
            self._restore(step)
            return True
        self.decide(step, Decision.ROLLBACK, f"drift: {drift}")
        return True

    def _restore(self, step: Step) -> None:
        split = self.run.split(step.weight)

        def still() -> bool:
            return fate(self.run.ports.record, self.run.id) is None and self.run.step() == step

        with suppress(StaleWriteError):
            self.run.ports.traffic.shift(self.run.claim, split, still, way_back(self.run, split))
            self.run.say(f"guard: the weights of step {step.number} are put back")

    def _renew(self) -> None:
        now = self.run.now()
        if 0 <= now - self._renewed < self.run.spec.lease / RENEWALS:  # a clock that steps back must not end renewals
            return
        try:
            self.run.ports.claims.renew(self.run.claim)
            self._renewed = now
        except ClaimLostError as error:
            self.run.say(f"guard: the claim is lost: {error}")
            note_taken_back(self.run, f"claim lost: {error}")
        except ClusterError as error:
            self.run.say(f"guard: the claim could not be renewed, tried again at the next look: {error}")

    def _look(self, step: Step) -> None:
        now = self.run.now()
        try:
            # By the clock of its samples: by ours, one that is wrong would ask for a time that has none.
            collected = self.collector.collect(self.run.ports.prometheus.now())
            if isinstance(collected, Waiting):
                if collected.silent_s > self.gap_s:
                    self._no_data(now, f"{collected.why} for {min(collected.silent_s, 86400):.0f} s", step)
                return
            self._check_edges(collected)
        except EvidenceError as error:
            self._no_data(now, str(error), step)
            return
        self._no_data_since = None
        interval = interval_of(collected, self.run.control, self.run.canary, step.weight)
        look = self.judge.look(interval)
        self._write(look, interval.to_dict())
        self._act(look, step)

    @property
    def gap_s(self) -> float:
        """Seconds of silence after which telemetry counts as broken: three scrapes."""
        return 3 * self.run.spec.evidence.scrape

    def _check_edges(self, collected: Collected) -> None:
        if collected.edges != tuple(self.plan.edges):
            raise EvidenceError(
                f"the latency buckets changed during the release: planned with {len(self.plan.edges)} edges, "
                f"now {len(collected.edges)}; both versions must expose the same bucket edges. Mend what changed them, or "
                "start the release anew"
            )

    def _no_data(self, now: float, reason: str, step: Step) -> None:
        since = self._no_data_since = min(self._no_data_since or now, now)  # a clock may step back
        self._write(self.judge.no_data(since, now, reason), None)
        limit = self.run.spec.on_no_data.after
        self.run.say(f"guard: NO_DATA for {now - since:.0f} s (limit {limit:.0f} s): {reason}")
        in_window = self.window is not None and step.number == self.window.number
        if now - since >= limit and not (in_window and self.run.spec.on_no_data.action == "hold"):
            action = Decision.ASK if self.run.spec.on_no_data.action == "hold" else Decision.ROLLBACK
            self.decide(step, action, f"no data for {now - since:.0f} s, the policy's limit is {limit:.0f} s: {reason}")

    def _write(self, look: Look, interval: dict[str, Any] | None) -> None:
        self._unwritten = (look, interval)
        self._store()

    def _store(self) -> None:
        """Write the look that is not in the record yet. One that can't be written now is written at the next tick."""
        if self._unwritten is None:
            return
        look, interval = self._unwritten
        self.run.ports.record.add_look(self.run.id, self.seq + 1, look.at, interval, look.to_dict())
        self.seq += 1
        self._unwritten, self._newest = None, look
        for line in words.look_lines(look, f"look {self.seq}"):
            self.run.say(line)

    def _act(self, look: Look, step: Step) -> None:
        if look.verdict is Verdict.FAIL:
            self.run.note("verdict", once="fail", verdict="FAIL", reason=look.reason, metric=look.deciding, at=look.at)
            self.decide(step, Decision.ROLLBACK, words.verdict(look))
        elif step.number < len(self.run.spec.steps):
            if look.may_advance:
                self.decide(step, Decision.ADVANCE, words.verdict(look))
        elif step.number == len(self.run.spec.steps) and look.verdict is Verdict.PASS:
            self.decide(step, Decision.PROMOTE, words.verdict(look))

    def _deadline(self, step: Step) -> None:
        limit = self.run.spec.max_duration
        if self.run.now() - self._started < limit or self.run.ports.record.once(self.run.id, f"decision:{step.number}"):
            return
        answer = {"hold": Decision.ASK, "promote": Decision.PROMOTE, "rollback": Decision.ROLLBACK}
        decision = answer[self.run.spec.on_undecided]
        told = self.run.ports.record.last_look(self.run.id)
        last = Look.from_dict(told) if told else None
        why = last.reason if last else "no look yet"
        if decision is Decision.PROMOTE and (last is None or last.doubtful):
            decision = Decision.ROLLBACK
        self.decide(step, decision, f"undecided ({why}) when max_duration of {limit:.0f} s was over")

    def decide(self, step: Step, decision: Decision, reason: str) -> None:
        """Write the word on a step. A rollback is noted, the brake pulled, then the word given.

        The note comes first: a shift that is just being written checks for it afterwards and takes itself back.
        """
        if decision is Decision.ROLLBACK:
            take_back(self.run, reason)
        once = f"decision:{step.number}"
        if self.run.note("decision", once=once, step=step.number, decision=str(decision), reason=reason, look=self.seq):
            self.run.say(f"guard: step {step.number}: {decision}: {reason}")
