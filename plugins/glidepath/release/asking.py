"""What a person asks of a release under way. It is written into the record, and the guard follows it.

The same may be asked by an annotation of the Lease, without the record; to follow it the guard needs the record all the same. What
holds a release or lets it go on is written into the record by the guard, and taken off the Lease. `approve` and `reject` answer
the question that the DAG asks; Airflow has the answer, the record who gave it and why.
"""

from __future__ import annotations

from collections.abc import Sequence

from glidepath.claim.state import COMMIT, HOLD, RESUME, TAKE_BACK
from glidepath.errors import AskedError
from glidepath.record import Record
from glidepath.release.entry import Entry
from glidepath.release.events import Decided, Fate
from glidepath.release.journal import Journal
from glidepath.release.people import Asked
from glidepath.release.phases import UNGIVEN, Decision, Phase
from glidepath.release.questions import APPROVE, REJECT, approved, open_question
from glidepath.release.run import Run

# What puts all traffic on the stable version in the guard's next round.
BACK = (TAKE_BACK, REJECT)
# What the record has to say before it holds.
HOLDING = (HOLD, RESUME)
ALL = (APPROVE, REJECT, HOLD, RESUME, TAKE_BACK, COMMIT)
# Characters of a reason: a word at least, and what a line of a log has room for.
SHORTEST_WHY, LONGEST_WHY = 3, 500


def held(entries: Sequence[Entry]) -> Asked | None:
    """Who holds the release at its weight; None when nobody does."""
    orders = [entry for entry in entries if isinstance(entry, Asked) and entry.what in (HOLD, RESUME)]
    return orders[-1] if orders and orders[-1].what == HOLD else None


def asked_back(entries: Sequence[Entry]) -> Asked | None:
    """Who asked first that it goes back; None when nobody did."""
    return next((entry for entry in entries if isinstance(entry, Asked) and entry.what in BACK), None)


def asked_commit(entries: Sequence[Entry]) -> Asked | None:
    """Who asked first that the observation ends; None when nobody did."""
    return next((entry for entry in entries if isinstance(entry, Asked) and entry.what == COMMIT), None)


def possible(phase: str, outcome: str | None, entries: Sequence[Entry]) -> list[str]:
    """What can be asked of a release now.

    Args:
        phase, outcome: As the record has them.
        entries: Its journal.
    """
    if outcome is not None or any(isinstance(entry, Fate) for entry in entries) or asked_back(entries):
        return []
    if open_question(phase, entries) is not None:
        return [APPROVE, REJECT]
    if phase == Phase.OBSERVING:
        return [TAKE_BACK] if asked_commit(entries) else [TAKE_BACK, COMMIT]
    if phase == Phase.BAKING and not _promotes(entries):
        return [RESUME if held(entries) else HOLD, TAKE_BACK]
    return [TAKE_BACK] if phase in (*UNGIVEN, Phase.BAKING, Phase.PROMOTING) else []


def _promotes(entries: Sequence[Entry]) -> bool:
    """Whether its promotion is decided: then it is too late to hold it at its weight."""
    decided = (isinstance(entry, Decided) and entry.decision == Decision.PROMOTE for entry in entries)
    return any(decided) or approved(entries)


def ask(record: Record, release_id: str, what: str, who: str, why: str, now: float) -> Asked:
    """Write down what a person asks, if it can be asked; arguments and errors are those of `checked`."""
    word = checked(record, release_id, what, who, why, now)
    Journal(record, release_id).write(word, now)
    return word


def checked(record: Record, release_id: str, what: str, who: str, why: str, now: float) -> Asked:  # noqa: ARG001 - as `ask`
    """What a person asks, if it can be asked; nothing is written.

    Args:
        record: The record.
        release_id: Of which release.
        what: One of ALL.
        who: The person, as the way they came by knows them.
        why: Their reason.
        now: Epoch seconds.

    Raises:
        AskedError: It is nothing that can be asked, or not now, or no reason is given; says what can be.
        NoReleaseError: The record has no such release.
        RecordError: The record can't be written.
    """
    release, entries = record.get(release_id), list(Journal(record, release_id).entries())
    can = possible(release.phase, release.outcome, entries)
    if what not in can:
        raise refused(release_id, what, release.outcome or release.phase, can)
    return Asked(what, who, reasoned(why))


def refused(release_id: str, what: str, stands: str, can: Sequence[str]) -> AskedError:
    """What is said of something that can't be asked now; `can` is what can be."""
    return AskedError(f"{what} was asked of release {release_id}, which is {stands}; expected {_one_of(can)}")


def reasoned(why: str) -> str:
    """A reason, its white space made single.

    Raises:
        AskedError: It is too short to be one, or too long.
    """
    reason = " ".join(why.split())
    if not SHORTEST_WHY <= len(reason) <= LONGEST_WHY:
        raise AskedError(
            f"a reason of {len(reason)} characters; expected {SHORTEST_WHY} to {LONGEST_WHY} that say why: they are recorded"
        )
    return reason


def order(run: Run) -> Asked | None:
    """What a person asks of a release, on the Lease or in the record: to go back comes first. None for nothing.

    To hold and to resume are told only of the Lease: `heard` follows them. Nothing is written.
    """
    word = run.ports.claims.asked(run.claim)
    on_lease = None if word is None else Asked(word.what, word.who, word.why)
    if on_lease is not None and on_lease.what != COMMIT:
        return on_lease
    entries = run.journal.asked()
    return asked_back(entries) or on_lease or asked_commit(entries)


def heard(run: Run) -> Asked | None:
    """The same, once what the Lease says of holding and resuming is in the record, which says what holds.

    A word that can't be followed is told in the log. It writes: what is asked by ports that only read is `order`.
    """
    on_lease = run.ports.claims.asked(run.claim)
    if on_lease is not None and on_lease.what in HOLDING:
        try:
            ask(run.ports.record, run.id, on_lease.what, on_lease.who, on_lease.why, run.now())
        except AskedError as error:
            run.say(f"on the Lease: {error}")
        run.ports.claims.answered(run.claim, on_lease)
    found = order(run)
    # One that came meanwhile is heard in the next round.
    return None if found is not None and found.what in HOLDING else found


def early_order(run: Run) -> Asked | None:
    """What a person asks before the first weight, as `order`; None when it is past that."""
    return order(run) if run.release.phase in UNGIVEN else None


def early_word(run: Run) -> str | None:
    """Why a person takes a release back before its first weight; None when nobody does, or it is past that. As `heard`."""
    if run.release.phase not in UNGIVEN:
        return None
    word = heard(run)
    return f"taken back by {word.who}: {word.why}" if word is not None and word.what in BACK else None


def _one_of(can: Sequence[str]) -> str:
    return (
        f"one of {', '.join(can)}"
        if can
        else "a release under way that is not going back: nothing can be asked of this one"
    )
