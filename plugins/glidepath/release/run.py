"""What every action of a release works with: its identity, its spec, and the ports to the outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from glidepath.claim import Claim
from glidepath.errors import OrderError, StaleWriteError
from glidepath.evidence import Source, source_of
from glidepath.naming import LABEL, shortened
from glidepath.policy import ReleaseSpec
from glidepath.ports import Ports
from glidepath.record import Record, Release
from glidepath.release.entry import Entry
from glidepath.release.events import Closed, Entered
from glidepath.release.journal import Journal
from glidepath.release.phases import ENDS, Phase, origins
from glidepath.release.questions import counts_from
from glidepath.traffic import Routing

Say = Callable[[str], None]


def unsaid(_: str) -> None:
    """Says nothing."""


BASELINE = "-baseline"


def baseline_of(stable: str) -> str:
    """What freshly started pods of the stable version are called."""
    return f"{shortened(stable, LABEL - len(BASELINE))}{BASELINE}"


@dataclass(frozen=True)
class StepInForce:
    """The step in force: its number from 1 (0 before the first), the canary's weight, and since when."""

    number: int
    weight: int
    since: float


@dataclass(frozen=True)
class Run:
    """One release being carried out.

    Attributes:
        id: The release's identity, the same for every task of one DAG run.
        spec: What it may do, frozen.
        ports: The outside.
        say: Where facts for the on-caller go, a line each.
        now: The clock, epoch seconds.
        detail: Where the rest goes, which is asked for only now and then.
    """

    id: str
    spec: ReleaseSpec
    ports: Ports
    say: Say = field(default=print)
    now: Callable[[], float] = time.time
    detail: Say = field(default=unsaid)

    @property
    def release(self) -> Release:
        """The release as the record has it now."""
        return self.ports.record.get(self.id)

    @cached_property
    def stable(self) -> str:
        """The version that was stable when the release was planned."""
        return self.release.stable

    @property
    def canary(self) -> str:
        """The version being released."""
        return self.spec.version

    @cached_property
    def baseline(self) -> str | None:
        """Freshly started pods of the stable version that the canary is compared with, or None."""
        return baseline_of(self.stable) if self.spec.evidence.control == "fresh" else None

    @property
    def control(self) -> str:
        """The version that the canary is compared with."""
        return self.baseline or self.stable

    @property
    def fresh(self) -> tuple[str, ...]:
        """The versions whose pods this release starts: the canary, and its baseline if it has one."""
        return (self.canary,) if self.baseline is None else (self.canary, self.baseline)

    @cached_property
    def created(self) -> float:
        """When it was planned, epoch seconds."""
        return self.release.created

    def deadline(self) -> float:
        """When the policy answers a release that is still undecided, epoch seconds."""
        return counts_from(self.created, self.spec.approval.before, self.journal.entries()) + self.spec.max_duration

    def step(self) -> StepInForce:
        """The step in force, as the record has it."""
        last = self.journal.weight()
        return (
            StepInForce(0, 0, self.release.created) if last is None else StepInForce(last.step, last.weight, last.noted)
        )

    @property
    def claim(self) -> Claim:
        """The claim under whose token this release writes.

        Raises:
            OrderError: The service was never claimed for this release.
        """
        token = self.ports.record.token(self.id)
        if token is None:
            raise OrderError(f"release {self.id} has no claim yet; the claim task comes first")
        return self.claim_for(self.stable, token)

    def claim_for(self, safe: str, token: int) -> Claim:
        """A claim of this release with a token; `safe` is the version that the watchdog is to go back to."""
        return Claim(self.spec.namespace, self.spec.service, self.id, token, safe, self.canary, self.spec.lease)

    @property
    def routing(self) -> Routing | None:
        """The routes as the claim found them; None for a release that was claimed by an older Glidepath."""
        claimed = self.journal.claimed()
        return Routing.from_dict(claimed.routes) if claimed and claimed.routes else None

    @property
    def beside(self) -> frozenset[str] | None:
        """Other routes that led to this release's versions when it claimed; None as for `routing`."""
        claimed = self.journal.claimed()
        return frozenset(claimed.beside) if claimed and claimed.beside is not None else None

    def source(self) -> Source:
        """The series the policy names as evidence, for this release's versions."""
        return source_of(self.spec, [self.stable, self.canary, *([self.baseline] if self.baseline else [])])

    def ended(self) -> bool:
        """True, and said, when the release is over: its tasks then change nothing."""
        release = self.release
        if release.outcome is None:
            return False
        self.say(f"release {self.id} ended {release.outcome}: {release.reason}; nothing is done")
        return True

    def move(self, phase: Phase) -> None:
        """Enter a phase.

        Raises:
            StaleWriteError: It can't be reached from where the release stands: another task has moved or ended it meanwhile.
        """
        if not self.ports.record.move(self.id, phase, origins(phase)):
            raise StaleWriteError(
                f"release {self.id} is {self.release.phase} by now; {phase} can only be reached from "
                f"{', '.join(sorted(origins(phase)))}"
            )
        self.note(Entered(str(phase)))

    def close(self, outcome: Phase, reason: str) -> None:
        """End the release. The first outcome counts."""
        assert outcome in ENDS
        if self.ports.record.close(self.id, outcome, reason, self.now()):
            self.note(Closed(str(outcome), reason))
            self.say(f"release ended: {outcome}: {reason}")

    @property
    def journal(self) -> Journal:
        """What happened in it."""
        return Journal(self.ports.record, self.id)

    def note(self, entry: Entry) -> bool:
        """Write down that something happened now; True when it is new."""
        return self.journal.write(entry, self.now())


def releases_of(record: Record, spec: ReleaseSpec) -> list[Release]:
    """The recent releases of a spec's service: of the same name, namespace and cluster."""
    return _lately(record, spec.service, spec.namespace, spec.connections.kubernetes)


def alike(record: Record, release: Release) -> list[Release]:
    """What the record has lately of a release's very service, itself included."""
    return _lately(record, release.service, release.namespace, _cluster(release))


def _lately(record: Record, service: str, namespace: str, cluster: str | None) -> list[Release]:
    """Of a release that does not say its cluster nothing else is known."""
    return [
        release for release in record.recent(service)
        if release.namespace == namespace and (_cluster(release) or cluster) == (cluster or _cluster(release))
    ]  # fmt: skip


def _cluster(release: Release) -> str | None:
    connections = release.spec.get("connections") or {}
    return connections.get("kubernetes")
