"""Who gets which share of a service's requests, and how that stands in the mesh."""

from __future__ import annotations

from dataclasses import dataclass

from glidepath.traffic.routing import Routing


@dataclass(frozen=True)
class Split:
    """Who gets what: `canary_weight` percent to the canary, as much to its baseline if there is one, the rest to stable."""

    stable: str
    canary: str | None
    canary_weight: int
    baseline: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.canary_weight <= 100 or (self.canary is None and self.canary_weight):
            raise ValueError(
                f"a split of {self.canary_weight} % for canary {self.canary!r}: expected 0 to 100, and 0 without a canary"
            )
        if self.baseline is not None and not 0 < self.canary_weight <= 50:
            raise ValueError(f"a split of {self.canary_weight} % for canary and baseline each: expected 1 to 50")

    @property
    def weights(self) -> dict[str, int]:
        """Percent by version, stable first."""
        beside = {} if self.baseline is None else {self.baseline: self.canary_weight}
        canary = {} if self.canary is None else {self.canary: self.canary_weight}
        return {self.stable: 100 - self.canary_weight - sum(beside.values()), **canary, **beside}

    def __str__(self) -> str:
        return ", ".join(f"{version} {weight} %" for version, weight in self.weights.items())


@dataclass(frozen=True)
class Mirror:
    """Copies of so many percent of the requests go to a version, whose answers nobody gets."""

    version: str
    percent: int


@dataclass(frozen=True)
class Match:
    """Requests with all of these headers, name and value, go to a version whatever the weights are."""

    version: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Routes:
    """What callers get.

    Attributes:
        weights: Who gets which share of the requests.
        mirror: Who gets copies beside that; None for nobody.
        matches: Which requests go elsewhere, the first that fits.
    """

    weights: Split
    mirror: Mirror | None = None
    matches: tuple[Match, ...] = ()

    def __str__(self) -> str:
        copies = f", copies of {self.mirror.percent} % to {self.mirror.version}" if self.mirror else ""
        return f"{self.weights}{copies}" + "".join(
            f", {' and '.join(f'{name}: {value}' for name, value in match.headers)} to {match.version}"
            for match in self.matches
        )


@dataclass(frozen=True)
class TrafficState:
    """What the routes say now.

    Attributes:
        name: The object that carries them, as people call it.
        split: The split that its weighted entries agree on.
        token: The fencing token it carries; 0 for none.
        held: Whether a release holds it.
        edited_by: The field manager that wrote the routes last, and when.
        beside: The versions that other entries lead to, or mirrors copy requests to; an empty name for all versions.
        routing: All of it.
        since: What was changed since a routing of before, other than weights; None for nothing, or where none was given.
    """

    name: str
    split: Split
    token: int
    held: bool
    edited_by: str
    resource_version: str
    beside: frozenset[str]
    routing: Routing
    since: str | None = None

    def all_on(self, version: str) -> bool:
        """Whether every request goes to a version."""
        return self.split.stable == version and self.split.canary_weight == 0

    def carries(self, routes: Routes) -> bool:
        """Whether these routes are in force."""
        return Routes(self.split) == routes
