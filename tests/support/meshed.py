"""A service's traffic and its fence, in one hand."""

from __future__ import annotations

from collections.abc import Callable, Collection

from kubernetes import client

from glidepath.claim import Claim
from glidepath.fence import Fenced
from glidepath.traffic import Routes, Surroundings, TrafficState, WayBack
from glidepath.traffic.handling import all_on, leave, let_go, take
from glidepath.wiring.cluster import mesh


class Meshed:
    """What tests do with the objects of one service."""

    def __init__(self, api: client.ApiClient, namespace: str, service: str) -> None:
        self.traffic, self.fence = mesh(api, namespace, service)

    def read(self) -> TrafficState:
        return self.traffic.read()

    def write(self, claim: Claim, routes: Routes, still: Callable[[], bool] = lambda: True) -> TrafficState:
        return self.traffic.write(claim, routes, still)

    def stop(self, claim: Claim, way: WayBack, still: Callable[[], bool] = lambda: True, mine: bool = False) -> bool:
        return self.traffic.stop(claim, way, still, mine)

    def around(self, fresh: Collection[str], everywhere: bool = False) -> Surroundings:
        return self.traffic.around(fresh, everywhere=everywhere)

    def leave(self, claim: Claim, version: str) -> bool:
        return leave(self.traffic, claim, version)

    def all_on(self, version: str) -> bool:
        return all_on(self.traffic, version)

    def take(self, claim: Claim) -> None:
        take(self.traffic, self.fence, claim)

    def open(self, claim: Claim) -> None:
        let_go(self.traffic, self.fence, claim)

    def state(self) -> Fenced:
        return self.fence.state()

    def hold(self, claim: Claim, version: str) -> None:
        self.fence.hold(claim, version)

    def let_go(self, claim: Claim, version: str) -> None:
        self.fence.let_go(claim, version)

    def free_writes(self) -> None:
        self.fence.free_writes()
