"""The guard: the one place of a release that looks and judges, from first traffic to the end.

Every look is recorded before it has an effect; a guard that starts again rebuilds its judge from the record, so no
evidence, edge or margin is ever chosen twice. Harm proven means 100/0 at once, by the guard itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from glidepath.errors import ClaimLostError, ClusterError, RecordError
from glidepath.judge import Verdict
from glidepath.record.turns import Turn
from glidepath.release.asking import BACK, HOLDING, early_order, early_word, heard, order
from glidepath.release.brake import brake, note_taken_back, take_back, taken_back
from glidepath.release.cleanup import sweep
from glidepath.release.deciding import Deciding
from glidepath.release.drift import early_drift, objects_drift, own_brake, routes_drift
from glidepath.release.events import Drifted, Watching, WeightGiven
from glidepath.release.holding import RENEWALS
from glidepath.release.looks import Fetched, Looks
from glidepath.release.phases import Decision
from glidepath.release.putting_back import put_back
from glidepath.release.run import Run, StepInForce
from glidepath.release.stages import stage
from glidepath.release.summary import summary
from glidepath.release.watched import Confirmed, judged, step_in_force
from glidepath.text import lines

# How many guards one after the other may keep the claim without a look.
GUARDS_UNSEEN = 3


class Guard:
    """Judges one release: call `tick` about twice a scrape.

    Who wants to wait for telemetry elsewhere does its parts: `attend`, and if a look is `wanted`, `fetch` and `see`.
    One thread at a time may be in `attend` and `see`; `fetch` may go on meanwhile.

    Args:
        run: The release.
        turn: Its turn among the guards that were begun for the release; None for one that is alone.
        steady: A clock that does not jump, seconds.
        rest: The release by ports that may be behind, for checks that find nothing as a rule; None: the same. What they
            find is checked once more, by `run` and what the record has then.

    Attributes:
        wanted: The step that wants a look, since `attend` was called last; None for none.
        deciding: Gives its words on the steps.
    """

    def __init__(
        self,
        run: Run,
        turn: Turn | None = None,
        steady: Callable[[], float] = time.monotonic,
        rest: Run | None = None,
    ) -> None:
        self.run = run
        self._sure = Confirmed(run, rest or run)
        self.looks = Looks(run, turn)
        self.wanted: StepInForce | None = None
        self.deciding = Deciding(run, self.looks)
        self._steady = steady
        self._renewed = -math.inf
        self._lost = self._blind = False
        self._shown, self._took_s = -math.inf, 0.0
        self._began: tuple[int, float] | None = None  # the step in force, and since when
        # When it last saw what there is to see, and how many guards began since the last look, this one included.
        self._saw, self._unseen = steady(), turn.unseen if turn is not None else 0

    @property
    def scrape_s(self) -> float:
        """Seconds between two scrapes of its evidence."""
        return float(self.run.spec.evidence.scrape)

    def fetch(self) -> Fetched:
        """Ask for what is new; see `Looks.fetch`."""
        return self.looks.fetch()

    def anew(self, run: Run, turn: Turn, rest: Run | None = None) -> Guard:
        """The same guard with other ports and its present turn. The time for its next look goes on running."""
        made = Guard(run, turn, self._steady, rest)
        made._saw = self._saw
        return made

    def tick(self) -> bool:
        """Attend and look once; False when the release is over and the guard may end. Errors are those of `attend`."""
        if not self.attend():
            return False
        if self.wanted is not None:
            self.see(self.wanted, self.fetch())
        return True

    def attend(self) -> bool:
        """Do what needs no telemetry: keep the claim, follow people's words, brake; False when the release is over.

        Raises:
            ReplacedError: Another guard has begun since; this one sees and does nothing any more.
        """
        self.wanted = None
        with self.run.ports.record.as_of_now(self.run.id):
            return self._attend()

    def _attend(self) -> bool:
        if self.run.release.outcome is not None:
            self.run.ports.record.read_anew()
            if math.isfinite(self._renewed):  # it was at work, perhaps until a moment ago
                sweep(self.run)
            return False
        self._remember()
        step = step_in_force(self.run)
        self._renew(step)
        back, record = taken_back(self.run), self.run.ports.record
        if not back and step is not None and step.number:
            self._watch(step)
            return True
        record.read_anew()
        if back:
            self._hold_back()
        elif step is not None:
            self._adopt()
        elif self._sure(early_order) and (why := early_word(self.run)):
            take_back(self.run, why)
        elif drift := self._sure(early_drift):
            take_back(self.run, f"drift: {drift}")
        return True

    def _remember(self) -> None:
        """Write down what was seen before the claim is renewed. A guard that can't write leaves the service to the watchdog.

        Raises:
            RecordError: The record can't be written. Harm that was proven is taken back all the same.
        """
        try:
            self.looks.store()
        except RecordError:
            seen = self.looks.unwritten
            if seen is not None and seen.look.verdict is Verdict.FAIL:
                brake(self.run, lines.verdict(seen.look))
            raise

    def _adopt(self) -> None:
        """The first weight is in force, but its task died before it wrote that down: no weight stays unwatched."""
        first, entered = stage(self.run, 1), self.run.journal.entered()
        if entered is None or 0 <= self.run.now() - entered.noted < self.looks.gap_s:
            return  # the task may be about to
        if self._sure(lambda run: run.ports.traffic.read().carries(first.routes), "first"):
            self.run.note(WeightGiven(first.number, first.weight))
            self.run.say(f"guard: {first.routes} is in force and was not noted; watched from here on")

    def _watch(self, step: StepInForce) -> None:
        self._since(step)
        # What is known to be harm is acted upon before anything new is looked at: that needs no telemetry.
        newest = self.looks.newest
        if newest is not None and newest.verdict is Verdict.FAIL:
            self.run.ports.record.read_anew()
            self.deciding.act(newest, step)
        elif self._asked(step) or self._drifted(step):
            return
        elif (observed := self.deciding.observing(step)) is None or (
            observed.judged and not self.run.journal.word_on(step.number)
        ):
            self.wanted = step
        elif not self.run.journal.word_on(step.number):
            self._show_life()
            self.deciding.observe(step, observed, self._since(step))

    def see(self, step: StepInForce, fetched: Fetched) -> None:
        """Look at what was fetched for a step, and act on it. Errors are those of `attend`."""
        self._look(step, fetched)
        if (observed := self.deciding.observing(step)) is not None:
            self.deciding.observe(step, observed, self._since(step))
        else:
            self.deciding.deadline(step)

    def _since(self, step: StepInForce) -> float:
        """Since when a step is in force: by this guard's clock if it saw the step begin, as the task's may differ."""
        if self._began is None or self._began[0] != step.number:
            self._began = step.number, step.since if self._began is None else self.run.now()
        return self._began[1]

    def _show_life(self) -> None:
        """Without looks something else has to say in the record that the guard is there."""
        now = self.run.now()
        if now - self._shown >= self.run.spec.lease:
            self.run.note(Watching())
            self._shown = now

    def _asked(self, step: StepInForce) -> bool:
        """Whether a person's word was followed: take it back, or end the observation early."""
        asked = self._sure(order)
        if asked is not None and asked.what in HOLDING:
            asked = heard(self.run)
        if asked is None:
            return False
        if asked.what in BACK:
            self.deciding.decide(step, Decision.ROLLBACK, f"taken back by {asked.who}: {asked.why}")
            return True
        if self.deciding.observing(step):
            self.deciding.over(step, f"ended early by {asked.who}: {asked.why}")
        return False

    def _hold_back(self) -> None:
        try:
            brake(self.run, "the release was taken back")
        except ClaimLostError as error:
            if not self._lost:
                self.run.say(f"guard: traffic is the next holder's to keep: {error}")
            self._lost = True

    def _drifted(self, step: StepInForce) -> bool:
        """Whether somebody else changed what the release needs. If so, it does what the policy says, and judges nothing."""
        routes = self._sure(lambda run: routes_drift(run, step.number), ("routes", step.number))
        drift = routes or self._sure(objects_drift)
        if drift is None or self.run.journal.fate() is not None or self.run.step() != step:
            return False
        if routes and (braked := own_brake(self.run)):
            self.deciding.decide(step, Decision.ROLLBACK, braked)
            return True
        self.run.note(Drifted(drift, step.number))
        self.run.say(f"guard: drift: {drift}")
        why_not: str | None = ""
        if routes and self.run.spec.on_drift == "restore":
            why_not = put_back(self.run, step)
        if why_not is not None:
            self.deciding.decide(step, Decision.ROLLBACK, f"drift: {drift}{why_not}")
        return True

    def _renew(self, step: StepInForce | None) -> None:
        """Renew the claim, but only while this guard still gets looks: a guard that sees nothing protects nobody."""
        if not self._sees(step):
            if not self._blind:
                self.run.say("guard: nothing has been seen for too long: the claim is not renewed before the next look")
            self._blind = True
            return
        self._blind = False
        now = self.run.now()
        if 0 <= now - self._renewed < self.run.spec.lease / RENEWALS:  # a clock that steps back must not end renewals
            return
        try:
            told = summary(self.run, self.looks, self._took_s)
            with self.run.ports.record.aside():  # a token that was the release's own a moment ago would seem lost
                claim = self.run.claim
            self.run.ports.claims.renew(claim, told)
            self._renewed = now
        except ClaimLostError as error:
            self.run.say(f"guard: the claim is lost: {error}")
            note_taken_back(self.run, f"claim lost: {error}")
        except ClusterError as error:
            self.run.say(f"guard: the claim could not be renewed, tried again at the next look: {error}")

    def _sees(self, step: StepInForce | None) -> bool:
        """Whether the last look is not too long ago, by this guard or by those before it.

        A guard that begins has the time of one lease for its first look, but only a few in a row have it.
        """
        if step is None or not judged(self.run, step):
            self._saw, self._unseen = self._steady(), 0
        return self._unseen <= GUARDS_UNSEEN and self._steady() - self._saw <= self.run.spec.lease

    def _look(self, step: StepInForce, fetched: Fetched) -> None:
        began = self._steady()
        look = self.looks.look(step, fetched)
        self._took_s = fetched.took_s + self._steady() - began
        if look is None:
            return
        self._saw, self._unseen = self._steady(), 0
        if self.looks.no_data_since is None:
            self.deciding.act(look, step)
        else:
            self.deciding.miss(look, step, self.looks.no_data_since)
