"""Claims as Kubernetes Leases.

The Lease `glidepath-<service>` is made by the first claim and never deleted: its annotation `glidepath.dev/token`
carries the fencing token of the newest claim. Every write here is an update at the resourceVersion that was read, so
two claimants can't both succeed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kubernetes import client

from glidepath.claim.port import Still
from glidepath.claim.state import (
    ASKED,
    LABEL,
    LEASES,
    ROUTES,
    STATUS,
    TAKEN,
    Claim,
    ClaimState,
    PersonsWord,
    left,
    parse_state,
)
from glidepath.claim.words import became, held, same, stamp
from glidepath.errors import ClaimHeldError, ClaimLostError, ClusterError, ReleaseFinishedError
from glidepath.kube import GROUP, TOKEN, Objects, Opened, editor

T = TypeVar("T")


def _again_on_conflict(do: Callable[[], T]) -> T:
    """Read the Lease and write it, once more if somebody wrote in between.

    It may be this release's guard beside its task, or our own write whose answer was lost: the Lease says which.
    """
    try:
        return do()
    except ClusterError as error:
        if error.status != 409:
            raise
    return do()


class LeaseClaims:
    """The claims on one service.

    Args:
        api: An API client.
        namespace: The service's namespace.
        service: The service.
        now: The clock, epoch seconds.
        opened: Makes what reads and writes the objects of a namespace.
    """

    def __init__(
        self,
        api: client.ApiClient,
        namespace: str,
        service: str,
        now: Callable[[], float] | None = None,
        opened: Opened = Objects,
    ) -> None:
        import time

        self._objects = opened(api, namespace)
        self.namespace, self.service = namespace, service
        self.name = f"glidepath-{service}"
        self._now = now or time.time
        self._written: ClaimState | None = None

    def read(self) -> ClaimState | None:
        """The Lease's state; None before the first claim."""
        lease = self._lease()
        return parse_state(lease) if lease is not None else None

    def _lease(self) -> dict[str, Any] | None:
        try:
            return self._objects.get(LEASES, self.name)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def check(self, holder: str) -> None:
        """Make sure that nobody else holds the service, taking nothing.

        Raises:
            ClaimHeldError: Names who, until when, and its run.
        """
        state = self.read()
        if state is not None and state.holder not in ("", holder):
            raise ClaimHeldError(held(state, f"{self.namespace}/{self.service}", self._now()))

    def acquire(
        self,
        wanted: Claim,
        run_url: str = "",
        after: Collection[str] = (),
        still: Still = lambda _: None,
        routes: str = "",
    ) -> Claim:
        """Take the service. The holder's own claim is given back as it is, renewed.

        Args:
            wanted: The claim as it should be; its token is what the objects carry: the granted token is higher than
                that and than the Lease's, for a Lease that was deleted begins anew, they don't.
            run_url: Where a person finds the holder's run.
            after: A release whose claim has ended may claim once more, to clean up, if it ended as one of these.
            still: Called with the free claim as it was read, raises if it is not to be taken; if it passes, the claim is
                taken only if nobody has had it since.
            routes: What the watchdog can go back to when the routes can't be mended; empty leaves what this holder wrote before.

        Raises:
            ClaimHeldError: Another holds it; names who, until when, and its run.
            ReleaseFinishedError: This holder's release ended already.
        """
        return _again_on_conflict(lambda: self._acquire(wanted, run_url, after, still, routes))

    def _acquire(self, wanted: Claim, run_url: str, after: Collection[str], still: Still, routes: str) -> Claim:
        state = self.read()
        if state is not None and state.holder == wanted.holder:
            claim = replace(wanted, token=state.token)
            self.renew(claim)
            return claim
        if state is not None:
            self._check_free(state, wanted.holder, after)
        still(state)
        token = max(state.token if state else 0, wanted.token) + 1
        annotations: dict[str, str | None] = {
            TOKEN: str(token),
            f"{GROUP}/stable": wanted.stable,
            f"{GROUP}/canary": wanted.canary,
            f"{GROUP}/virtual-service": self.service,
            f"{GROUP}/run-url": run_url,
        }
        if routes:
            annotations[ROUTES] = routes
        elif state is not None and state.annotations.get(f"{GROUP}/last-run") != wanted.holder:
            annotations[ROUTES] = None  # those of an earlier release are nothing to go back to
        if state is not None:  # what was asked and told of an earlier release is over
            annotations |= {f"{GROUP}/{what}": None for what in ASKED} | {STATUS: None}
        self._write(wanted.holder, wanted.duration_s, annotations, state)
        return replace(wanted, token=token)

    def _check_free(self, state: ClaimState, holder: str, after: Collection[str]) -> None:
        last, outcome = (state.annotations.get(f"{GROUP}/last-{what}") for what in ("run", "outcome"))
        if last == holder and outcome not in after:
            raise ReleaseFinishedError(
                f"release {holder} of {self.service} ended already: {outcome or 'ended'}; start a new run"
            )
        if state.holder:
            raise ClaimHeldError(held(state, f"{self.namespace}/{self.service}", self._now()))

    def renew(self, claim: Claim, status: str = "") -> None:
        """Say that the holder lives, at the version that the last write was answered with, or at what is there.

        Args:
            claim: The claim.
            status: How the release stands, as JSON; it goes with the same write. Empty leaves what is there.

        Raises:
            ClaimLostError: The Lease has another holder or token.
        """
        annotations, known = _told(status), self._written
        if known is not None and same(claim, known):
            try:
                self._write(claim.holder, claim.duration_s, annotations, known)
                return
            except ClusterError as error:
                if error.status not in (404, 409):
                    raise
        _again_on_conflict(lambda: self._write(claim.holder, claim.duration_s, annotations, self._mine(claim)))

    def raise_above(self, claim: Claim, token: int) -> Claim:
        """Go on with a token above this one, which objects carry although no claim ever had it. Returns the new claim.

        Raises:
            ClaimLostError: The Lease has another holder or token.
        """
        raised = replace(claim, token=max(claim.token, token) + 1)
        self._write(claim.holder, claim.duration_s, {TOKEN: str(raised.token)}, self._mine(claim))
        return raised

    def asked(self, claim: Claim) -> PersonsWord | None:
        """What a person asks of the claim's holder; to take back comes first. None for nothing, or a claim that is lost."""
        lease = self._lease()
        if lease is None or parse_state(lease).token != claim.token:
            return None
        annotations, managed = lease["metadata"].get("annotations") or {}, lease["metadata"].get("managedFields") or []
        for what in ASKED:
            why = annotations.get(f"{GROUP}/{what}")
            if why is not None:
                who = editor(managed, "f:metadata", "f:annotations", f"f:{GROUP}/{what}")
                return PersonsWord(what, why or "no reason given", who)
        return None

    def answered(self, claim: Claim, word: PersonsWord) -> None:
        """Take a person's word off the Lease, if it is still the one that was heard: the record has it.

        Raises:
            ClaimLostError: The Lease has another holder or token.
        """

        def write() -> None:
            state = self._mine(claim)
            if self.asked(claim) == word:
                self._write(claim.holder, claim.duration_s, {f"{GROUP}/{word.what}": None}, state)

        _again_on_conflict(write)

    def mark_safe(self, claim: Claim, stable: str) -> None:
        """Tell the watchdog which version is safe from now on.

        Raises:
            ClaimLostError: The Lease has another holder or token.
        """

        def write() -> None:
            state = self._mine(claim)
            if state.annotations.get(f"{GROUP}/stable") != stable:
                self._write(claim.holder, claim.duration_s, {f"{GROUP}/stable": stable}, state)

        _again_on_conflict(write)

    def end(self, claim: Claim, outcome: str, status: str = "") -> None:
        """Give the service back and leave a mark of how it ended. Does nothing the second time."""
        marks = {
            f"{GROUP}/last-run": claim.holder,
            f"{GROUP}/last-outcome": outcome,
            f"{GROUP}/run-url": "",
            **_told(status),
        }

        def write() -> None:
            state = self.read()
            if state is not None and (state.holder, state.token) == (claim.holder, claim.token):
                self._write("", claim.duration_s, marks, state)

        _again_on_conflict(write)

    def take_over(self, state: ClaimState, holder: str, duration_s: float, note: str = "", above: int = 0) -> int:
        """Take an expired claim with the next token: what the watchdog does. The new token.

        Args:
            state: The claim as it was read; the write holds only while it is still so.
            holder: Who takes it.
            duration_s: Seconds after which it expires in turn.
            note: What `holder` must know to finish after a crash; stays on the Lease until it is given back.
            above: The highest token that an object carries; the new one is higher.

        Raises:
            ClusterError: `status` 409 when the holder renewed in the meantime.
        """
        token = max(state.token, above) + 1
        self._write(holder, duration_s, {TOKEN: str(token), TAKEN: note}, state)
        return token

    def give_back(self, state: ClaimState, outcome: str, run: str) -> None:
        """Free a Lease that was taken over, with a mark of what became of the run it was taken from."""
        marks = {f"{GROUP}/last-run": run, f"{GROUP}/last-outcome": outcome, TAKEN: None}
        status = _told(left(state.annotations.get(STATUS, ""), outcome))
        self._write("", state.duration_s, marks | status, state)

    def lost(self, claim: Claim) -> str | None:
        """What became of a claim, for whoever held it; None while it is held."""
        state = self.read()
        return None if state is not None and same(claim, state) else became(claim, state)

    def _mine(self, claim: Claim) -> ClaimState:
        state = self.read()
        if state is None or not same(claim, state):
            raise ClaimLostError(became(claim, state))
        return state

    def _write(
        self, holder: str, duration_s: float, annotations: Mapping[str, str | None], state: ClaimState | None
    ) -> None:
        now = stamp(self._now())
        spec = {"holderIdentity": holder, "leaseDurationSeconds": max(1, round(duration_s)), "renewTime": now}
        if state is None:
            body = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self.name, "labels": {LABEL: "true"}, "annotations": dict(annotations)},
                "spec": {**spec, "acquireTime": now},
            }
            self._objects.create(LEASES, body)
            return
        metadata = {"resourceVersion": state.resource_version, "annotations": dict(annotations)}
        self._written = parse_state(self._objects.merge(LEASES, self.name, {"metadata": metadata, "spec": spec}))


def _told(status: str) -> dict[str, str]:
    return {STATUS: status} if status else {}
