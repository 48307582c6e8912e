"""One reader of a Prometheus for all who watch: what several want at about the same time is asked for once.

Time goes in beats. The first who wants to know the time in a beat asks Prometheus, and all who look in that beat look as of
it. The first who asks for samples asks for those of all others whose pods may have a newer one by then, so nobody waits for
anybody to join. An answer says to each what its own query would have said (`batch`).
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from weakref import WeakSet, WeakValueDictionary

from requests import RequestException

from glidepath.errors import EvidenceError
from glidepath.evidence.batch import Arrangement, BatchAnswer, Query, milliseconds
from glidepath.evidence.prometheus import NotAnsweredError, Prometheus, RefusedError, unanswered
from glidepath.evidence.selectors import Shape, parsed
from glidepath.evidence.series import Queries, Row, ranged, whole_seconds
from glidepath.evidence.view import View

# So many selectors, and letters of them, go into a query at most.
MOST, LETTERS = 200, 100_000
# So long, seconds, queries stay small after one that was too much, and one that can't be answered is asked alone.
CAREFUL_S = 60.0
# So many beats are kept: who looks late still looks as of its own.
KEPT = 4
# So many arrangements of answers are kept: a scrape has a few beats, and each beat some queries.
ARRANGED = 32


@dataclass(frozen=True)
class Beat:
    """A part of time in which all look as of one time.

    Attributes:
        number: Which one.
        at: Its time on Prometheus' clock, epoch seconds, or the error, once it is there.
    """

    number: int
    at: Future[float] = field(default_factory=Future)


class Shared:
    """A Prometheus for many who watch.

    Args:
        prometheus: The server.
        steady: A clock that does not jump, seconds.
    """

    def __init__(self, prometheus: Queries, steady: Callable[[], float] = time.monotonic) -> None:
        self.prometheus, self._steady = prometheus, steady
        self._lock = threading.Lock()
        self._views: WeakSet[View] = WeakSet()
        # By the length of a beat: the last ones, and what was asked in them.
        self._beats: dict[float, list[Beat]] = {}
        self._asked: dict[float, list[Query]] = {}
        self._down: EvidenceError | None = None
        self._most, self._careful_until = MOST, -math.inf
        self._alone: dict[str, float] = {}
        # By the selectors of a query, how its last answer was arranged.
        self._arrangements: dict[frozenset[str], Arrangement] = {}

    def view(self, beat_s: float) -> View:
        """A reader for one who watches; what it reads is shared as long as it lives.

        Args:
            beat_s: Seconds of a beat: it looks as of a time that is at most so old.
        """
        view = View(self, beat_s)
        with self._lock:
            self._views.add(view)
        return view

    def now(self, view: View) -> float:
        """As of when one looks: Prometheus' clock at the present beat, epoch seconds; or at one that it was asked for in.

        Where there are more who look than the machine can bear, what was asked is read, not asked anew in each beat.

        Raises:
            EvidenceError: It did not answer. While it does not, one at a time tries, and nobody waits for that.
        """
        beat_s = view.beat_s
        number = math.floor(self._steady() / beat_s)
        with self._lock:
            for asked in reversed(self._asked.get(beat_s, [])):
                if view.awaits(asked.members, asked.at / 1000):
                    return asked.at / 1000
            beats, down = self._beats.setdefault(beat_s, []), self._down
            mine = not beats or (beats[-1].number != number and beats[-1].at.done())
            if mine:
                self._beats[beat_s] = beats = [*beats, Beat(number)][-KEPT:]
                times = _times(beats)
                self._asked[beat_s] = [one for one in self._asked.get(beat_s, []) if one.at in times]
            beat = beats[-1]
        if mine:
            self._begin(beat)
        elif down is not None and not beat.at.done():
            raise _again(down)
        return _result(beat.at)

    def _begin(self, beat: Beat) -> None:
        try:
            at = self.prometheus.now()
        except EvidenceError as error:
            self._down = error
            beat.at.set_exception(error)
        except BaseException as error:
            beat.at.set_exception(error)
            raise
        else:
            self._down = None
            beat.at.set_result(at)

    def rows(self, view: View, selector: str, window_s: float, at: float) -> list[Row]:
        """The samples of a selector in a window, as by `Prometheus.rows`.

        Raises:
            EvidenceError: As there, about this selector's own query.
        """
        end, seconds = milliseconds(at), whole_seconds(window_s)
        asked = self._asked_for(view, selector, end, seconds)
        if asked is None:
            return self._own(selector, window_s, at)
        try:
            rows = asked.answer.result().of(selector, end, seconds)
        except EvidenceError as error:
            if isinstance(error, RefusedError):
                raise _again(error) from error
            if len(asked.members) > 1 and not isinstance(error.__cause__, RequestException):
                return self._own(selector, window_s, at)
            self._unanswered(error, selector)
            query, why = ranged(selector, window_s, None), error.__cause__ or error
            raise type(error)(unanswered(self.prometheus.url, query, why)) from error
        return self._own(selector, window_s, at) if rows is None else rows

    def _own(self, selector: str, window_s: float, at: float) -> list[Row]:
        try:
            return self.prometheus.rows(ranged(selector, window_s, None), at)
        except NotAnsweredError as error:
            self._unanswered(error, selector)
            raise

    def _unanswered(self, error: EvidenceError, selector: str) -> None:
        """A selector that can't be answered is asked for alone for a while: it would be the others' error as well."""
        if isinstance(error, NotAnsweredError):
            with self._lock:
                self._alone[selector] = self._steady() + CAREFUL_S

    def _asked_for(self, view: View, selector: str, end: int, seconds: int) -> Query | None:
        """The query whose answer has what is wanted, made if there is none; None for one that is to be asked alone."""
        shape = self._shape(selector)
        if shape is None:
            return None
        with self._lock:
            asked = self._asked.setdefault(view.beat_s, [])
            for one in asked:
                if one.covers(selector, end, seconds):
                    return one
            if end not in _times(self._beats.get(view.beat_s, [])):
                return None
            made = self._gathered(view, selector, shape, end, seconds, asked)
            asked.append(made)
        self._ask(made)
        return made

    def _shape(self, selector: str) -> Shape | None:
        """What can be merged with a selector; None where nothing is to be."""
        with self._lock:
            until = self._alone.get(selector)
            if until is not None and self._steady() < until:
                return None
            self._alone.pop(selector, None)
        found = parsed(selector)
        return None if found is None else found.shape

    def _gathered(self, view: View, selector: str, shape: Shape, end: int, seconds: int, asked: list[Query]) -> Query:
        """A query for a selector, and for those like it that are expected to be wanted in the same beat."""
        if self._steady() > self._careful_until:
            self._most = min(MOST, 2 * self._most)
            self._careful_until = self._steady() + CAREFUL_S
        there = {member for one in asked if one.at == end for member in one.members}
        wanted = {selector: seconds}
        letters = len(selector)
        for text, expected in sorted(self._expected(view.beat_s, end / 1000).items()):
            found = parsed(text)
            if text in there or text in self._alone or found is None or found.shape != shape or text in wanted:
                continue
            # A window of another kind of scrapes would make all answers long.
            if not seconds / 2 <= expected <= 2 * seconds:
                continue
            letters += len(text)
            if len(wanted) >= self._most or letters > LETTERS:
                break
            wanted[text] = expected
        members = {text: found for text in wanted if (found := parsed(text)) is not None}
        return Query(members, end, max(wanted.values()))

    def _expected(self, beat_s: float, at: float) -> dict[str, int]:
        """The selectors that are likely to be asked for at a time, and the windows of each, seconds."""
        expected: dict[str, int] = {}
        for view in self._views:
            if view.beat_s == beat_s:
                for selector, seconds in view.expected(at).items():
                    expected[selector] = max(seconds, expected.get(selector, 0))
        return expected

    def _ask(self, asked: Query) -> None:
        try:
            rows = self.prometheus.rows(asked.query, asked.at / 1000)
            asked.answer.set_result(self._arranged(BatchAnswer(asked.members, rows, self._before(asked))))
        except BaseException as error:
            if len(asked.members) > 1 and isinstance(error, EvidenceError):
                with self._lock:
                    self._most = max(1, len(asked.members) // 2)
                    self._careful_until = self._steady() + CAREFUL_S
            asked.answer.set_exception(error)
            if not isinstance(error, EvidenceError):
                raise

    def _before(self, asked: Query) -> Arrangement | None:
        with self._lock:
            return self._arrangements.get(frozenset(asked.members))

    def _arranged(self, answer: BatchAnswer) -> BatchAnswer:
        """Remember how an answer is arranged: the next to the same selectors is so as well, as a rule."""
        with self._lock:
            names = frozenset(answer.members)
            self._arrangements.pop(names, None)
            self._arrangements[names] = answer.arranged
            while len(self._arrangements) > ARRANGED:
                del self._arrangements[next(iter(self._arrangements))]
        return answer


_known: WeakValueDictionary[object, Shared] = WeakValueDictionary()
_known_lock = threading.Lock()


def shared(prometheus: Prometheus) -> Shared:
    """This process' one reader of a server by an account, as long as anybody has it."""
    with _known_lock:
        found = _known.get(prometheus.identity)
        if found is None:
            found = _known[prometheus.identity] = Shared(prometheus)
        return found


def _forked() -> None:
    """Its locks may have been held when this process was forked."""
    global _known, _known_lock
    _known, _known_lock = WeakValueDictionary(), threading.Lock()


os.register_at_fork(after_in_child=_forked)


def _times(beats: Iterable[Beat]) -> set[int]:
    """The times of beats, epoch milliseconds, as far as they are known."""
    return {milliseconds(beat.at.result()) for beat in beats if beat.at.done() and beat.at.exception() is None}


def _again(error: EvidenceError) -> EvidenceError:
    """The same error to be raised in another thread."""
    return type(error)(str(error))


def _result(at: Future[float]) -> float:
    try:
        return at.result()
    except EvidenceError as error:
        raise _again(error) from error
