"""The guard's word on a step: what follows from a look, from silence, from a deadline, and from the end of an observation."""

from __future__ import annotations

from glidepath.judge import Look, Verdict
from glidepath.policy.model import OBSERVATION_FACTOR
from glidepath.release.asking import held
from glidepath.release.brake import take_back, taken_back
from glidepath.release.events import Decided, HarmProven, ObservationOver
from glidepath.release.looks import Looks
from glidepath.release.observation import Observation, observation
from glidepath.release.phases import Decision
from glidepath.release.run import Run, StepInForce
from glidepath.text import lines


class Deciding:
    """Gives the words of one release, and pulls the brake where one is to go back.

    Args:
        run: The release.
        looks: What was seen of it.
    """

    def __init__(self, run: Run, looks: Looks) -> None:
        self.run, self.looks = run, looks
        self._observation = observation(run.spec)

    def observing(self, step: StepInForce) -> Observation | None:
        """The observation after the promotion, if that is the step."""
        return self._observation if self._observation is not None and step.number == self._observation.number else None

    def observe(self, step: StepInForce, observed: Observation, since: float) -> None:
        """The observation after a promotion, in force since an epoch second: say when it is over."""
        waited, newest = self.run.now() - since, self.looks.newest
        doubt = self.looks.no_data_since is not None or (newest is not None and newest.suspicious)
        if waited >= observed.warm_s * (OBSERVATION_FACTOR if observed.judged and doubt else 1):
            self.over(step, f"{self.run.stable} was kept warm for {waited:.0f} s and no harm was proven")

    def over(self, step: StepInForce, reason: str) -> None:
        """End the observation: nothing was found."""
        self.run.ports.record.read_anew()
        word = ObservationOver(step.number, str(Decision.PROMOTE), reason, self.looks.seq)
        if not taken_back(self.run) and self.run.note(word):
            self.run.say(f"guard: the observation is over: {reason}")

    def act(self, look: Look, step: StepInForce) -> None:
        """What follows from a look."""
        if look.verdict is Verdict.FAIL:
            self.run.note(HarmProven(look.reason, look.deciding, look.at))
            self.decide(step, Decision.ROLLBACK, lines.verdict(look))
        elif step.number < len(self.run.spec.steps):
            if look.may_advance and not self._held():
                self.decide(step, Decision.ADVANCE, lines.verdict(look))
        elif step.number == len(self.run.spec.steps) and look.verdict is Verdict.PASS and not self._held():
            self._promote(step, lines.verdict(look))

    def miss(self, look: Look, step: StepInForce, since: float) -> None:
        """No data: wait, then do what the policy says."""
        missing, limit, answer = look.at - since, self.run.spec.on_no_data.after, self.run.spec.on_no_data.action
        self.run.say(f"guard: NO_DATA for {missing:.0f} s (limit {limit:.0f} s): {look.reason}")
        if missing >= limit and not (self.observing(step) and answer == "hold"):
            action = Decision.ASK if answer == "hold" else Decision.ROLLBACK
            why = f"no data for {missing:.0f} s, the policy's limit is {limit:.0f} s: {look.reason}"
            self.decide(step, action, why)

    def _promote(self, step: StepInForce, why: str) -> None:
        """Promote, or ask a person first where the policy says so."""
        if "promotion" in self.run.spec.approval.before:
            self.decide(step, Decision.ASK, f"{why}; the policy asks a person before a promotion", proven=True)
        else:
            self.decide(step, Decision.PROMOTE, why)

    def _held(self) -> bool:
        """Whether a person keeps the release at its weight."""
        return held(self.run.journal.asked()) is not None

    def deadline(self, step: StepInForce) -> None:
        """What the policy says of a release that is undecided when its time is over."""
        limit = self.run.spec.max_duration
        if self.run.now() < self.run.deadline() or self.run.journal.word_on(step.number):
            return
        answer = {"hold": Decision.ASK, "promote": Decision.PROMOTE, "rollback": Decision.ROLLBACK}
        decision = answer[self.run.spec.on_undecided]
        recorded = self.run.ports.record.last_look(self.run.id)
        last = Look.from_dict(recorded) if recorded else None
        why = last.reason if last else "no look yet"
        if decision is Decision.PROMOTE and (last is None or last.doubtful):
            decision = Decision.ROLLBACK
        elif decision is Decision.PROMOTE and self._held():
            decision = Decision.ASK  # whoever holds it has not said that it may go on
        elif decision is Decision.PROMOTE and "promotion" in self.run.spec.approval.before:
            decision = Decision.ASK
        self.decide(step, decision, f"undecided ({why}) when max_duration of {limit:.0f} s was over")

    def decide(self, step: StepInForce, decision: Decision, reason: str, proven: bool = False) -> None:
        """Write the word on a step. A rollback is noted, the brake pulled, then the word given.

        The note comes first: a shift that is just being written checks for it afterwards and takes itself back.
        """
        if decision is Decision.ROLLBACK:
            take_back(self.run, reason)
        if self.run.note(Decided(step.number, str(decision), reason, self.looks.seq, proven)):
            self.run.say(f"guard: step {step.number}: {decision}: {reason}")
