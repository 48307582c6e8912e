"""One pass of the watchdog: what is done about claims that nobody renews (`sight`).

Each step is safe to do again, and the first one writes down what the others need: a pass that ends anywhere is finished
by the next one, of this process or another.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass

from kubernetes import client

from glidepath.claim.lease import LeaseClaims
from glidepath.claim.state import ABANDONED, LABEL, LEASES, ROUTES, TAKEN, WATCHDOG, Claim, ClaimState, parse_state
from glidepath.errors import (
    ClaimError,
    ClusterError,
    GlidepathError,
    NoWeightedRouteError,
    SetupError,
    TrafficDriftError,
)
from glidepath.fence.port import Fence
from glidepath.kube import GROUP, Objects, at_once
from glidepath.traffic.handling import take
from glidepath.traffic.port import Traffic
from glidepath.traffic.routing import Routing
from glidepath.traffic.split import Routes, Split
from glidepath.traffic.way_back import WayBack
from glidepath.watchdog.events import abandoned
from glidepath.watchdog.facts import Health
from glidepath.watchdog.sight import Sightings, duration
from glidepath.wiring.cluster import claims, mesh

PREFIX = "glidepath-"

log = logging.getLogger("glidepath.watchdog")


@dataclass(frozen=True)
class TakeOver:
    """What is written on a Lease when it is taken over.

    Attributes:
        run: The release that held it.
        silent_s: Seconds since that release renewed it last.
        before: The split then, in words.
        braked: Whether traffic has to be moved.
    """

    run: str
    silent_s: float
    before: str
    braked: bool

    def to_json(self) -> str:
        """For the Lease's annotation."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TakeOver:
        """Out of the Lease's annotation; a claim taken by hand, which has none, is of an unknown run."""
        return cls(**json.loads(text)) if text else cls("unknown", 0.0, "unknown", braked=True)


def safe_split(stable: str, canary: str | None, now: Split | None) -> Split:
    """All traffic on stable. A split that has it there already stays as it is."""
    if now is not None and now.stable == stable and now.canary_weight == 0:
        return now
    return Split(stable, canary if canary != stable else None, 0)


class Watchdog:
    """Watches the claims of one namespace.

    Args:
        api: An API client.
        namespace: The namespace.
        facts: Where it counts.
        now: The wall clock, epoch seconds.
        monotonic: The clock that doesn't jump, seconds.
    """

    def __init__(
        self,
        api: client.ApiClient,
        namespace: str,
        facts: Health,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api, self.namespace, self.facts = at_once(api), namespace, facts  # each service is looked at each second
        self._now, self._monotonic = now, monotonic
        self._objects = Objects(api, namespace)
        self._sight = Sightings()

    def look(self) -> None:
        """One pass: read all claims and end the expired ones. A failure for one service is tried again at the next pass.

        Raises:
            ClusterError: The claims could not be listed.
        """
        states: dict[str, ClaimState] = {}
        for lease in self._objects.list(LEASES, f"{LABEL}=true"):
            name = lease["metadata"]["name"]
            try:
                states[name] = parse_state(lease)
            except (ValueError, TypeError) as error:
                self._failed(name, f"Lease {name} can't be read as a claim: {error}; expected what Glidepath wrote")
        self._sight.look(states, self._monotonic())
        expired = {name: state for name, state in states.items() if self._sight.expired(name, state, self._now())}
        ours = {name: state for name, state in states.items() if state.holder == WATCHDOG}
        free = sum(not state.holder for state in states.values())
        due = expired | ours
        counts = {"held": len(states) - free - len(due), "expired": len(due), "free": free}
        self.facts.claims[self.namespace] = counts
        self.facts.releases.seen(self.namespace, {name.removeprefix(PREFIX): state for name, state in states.items()})
        for name in states:
            self.facts.brakes[name.removeprefix(PREFIX)] += 0
        for name, state in due.items():
            self._end(name.removeprefix(PREFIX), state)

    def _end(self, service: str, state: ClaimState) -> None:
        try:
            traffic, fence = mesh(self._api, self.namespace, service)
            lease = claims(self._api, self.namespace, service, self._now)
            now = self._split(service, traffic)
            fenced = fence.state()
            stable = self._stable(state, service, fenced.versions, now)
            if not stable:
                raise ClaimError(
                    f"the Lease has no annotation {GROUP}/stable and the routes can't be read: which version is stable? "
                    f"Say it: kubectl -n {self.namespace} annotate lease {lease.name} {GROUP}/stable=VERSION"
                )
            canary = state.annotations.get(f"{GROUP}/canary") or None
            # Objects carry more than the Lease when it was lost, or somebody wrote it: with less nothing could be moved.
            newest = fenced.newest
            ours = state.holder == WATCHDOG
            taken = TakeOver.from_json(state.annotations.get(TAKEN, "")) if ours else self._taken(state, stable, now)
            token = state.token
            if not ours or token < newest:
                token = lease.take_over(state, WATCHDOG, duration(state), taken.to_json(), newest)
                log.warning("%s: taken over from %s with token %d: %s", service, taken.run, token, taken)
            claim = Claim(self.namespace, service, WATCHDOG, token, stable, canary or "", duration(state))
            beside = {now.canary, now.baseline} if now else set()
            versions = ({canary} | beside) - {None, stable}
            routing = Routing.from_text(state.annotations.get(ROUTES, ""))
            way = WayBack(safe_split(stable, canary, now), frozenset(map(str, versions)), routing)
            self._finish(claim, (traffic, fence), lease, way, taken)
        except ClusterError as error:
            if error.status != 409:
                self._failed(service, str(error))
                return
            log.info("%s: somebody was first, nothing done; looked at again at the next pass: %s", service, error)
        except (GlidepathError, ValueError, TypeError) as error:
            self._failed(service, str(error))

    def _stable(self, state: ClaimState, service: str, there: Collection[str], now: Split | None) -> str:
        """The safe version: what the Lease says, unless it has no pods and what the routes say has some."""
        noted, routed = state.annotations.get(f"{GROUP}/stable", ""), now.stable if now else ""
        if noted and routed and noted not in there and routed in there:
            log.error("%s: the Lease says that %s is stable, which is not there: %s", service, noted, routed)
            return routed
        return noted or routed

    def _taken(self, state: ClaimState, stable: str, now: Split | None) -> TakeOver:
        before = str(now) if now else "routes that are no split of two versions"
        braked = now is None or now.weights.get(stable, 0) < 100
        return TakeOver(state.holder, round(self._now() - state.renewed, 1), before, braked)

    def _finish(
        self, claim: Claim, outside: tuple[Traffic, Fence], lease: LeaseClaims, way: WayBack, taken: TakeOver
    ) -> None:
        (traffic, fence), service = outside, claim.service
        try:
            traffic.stop(claim, way, mine=True)
            take(traffic, fence, claim)  # the other objects refuse the old token from here on too
            try:
                after = str(traffic.write(claim, Routes(way.split)).split)
            except NoWeightedRouteError:
                after = f"not on {', '.join(sorted(way.versions))}"
        except SetupError as error:
            after = "no routes"
            log.warning("%s: no traffic to move: %s", service, error)
        log.warning("%s: traffic was %s, is %s, read back", service, taken.before, after)
        self._record(claim, traffic.reference, taken, after)
        state = lease.read()
        if state is None or (state.holder, state.token) != (WATCHDOG, claim.token):
            log.info("%s: the claim was given back by another watchdog", service)
            return
        lease.give_back(state, ABANDONED, taken.run)
        self.facts.brakes[service] += taken.braked
        log.warning("%s: claim given back, outcome of %s: %s", service, taken.run, ABANDONED)

    def _record(self, claim: Claim, regarding: Mapping[str, str], taken: TakeOver, after: str) -> None:
        """Leave an Event for people. If it can't be written, the service is made safe all the same."""
        message = (
            f"release {taken.run} did not renew its claim for {taken.silent_s:.0f} s (it lasts {claim.duration_s:.0f} s): "
            f"traffic was {taken.before}, is {after}; token {claim.token}"
        )
        try:
            abandoned(self._objects, claim, regarding, message, self._now())
        except ClusterError as error:
            log.error("%s: no Event written: %s", claim.service, error)

    def _split(self, service: str, traffic: Traffic) -> Split | None:
        try:
            return traffic.read().split
        except (TrafficDriftError, SetupError) as error:
            log.warning("%s: %s", service, error)
            return None

    def _failed(self, service: str, text: str) -> None:
        self.facts.errors[service.removeprefix(PREFIX)] += 1
        log.error("%s: %s", service, text)
