"""The values of a version's own Helm release: what the policy says, with what the version differs by where the chart has it. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glidepath.naming import workload_name
from glidepath.policy.helm import ValuePaths
from glidepath.policy.versions import Image


@dataclass(frozen=True)
class Mapped:
    """A service's values in its chart's own words.

    Attributes:
        service: The name that callers use.
        given: The values for the version that is released.
        paths: Where the chart has what versions differ by.
        by_chart: Whether a version's chart says which image it has.
    """

    service: str
    given: Mapping[str, Any]
    paths: ValuePaths
    by_chart: bool = False

    def workload(self, version: str) -> str:
        """What a version's Deployment or StatefulSet, and its Helm release, are called."""
        return workload_name(self.service, version)

    def released(self, version: str, image: Image, replicas: int) -> dict[str, Any]:
        """The values of the version that is released.

        Args:
            version: Its name.
            image: Its image, where the name does not say it.
            replicas: How many, where the chart says how many.
        """
        new = self.named(self.given, version, replicas)
        if self.by_chart:
            return new
        if image.digest is None or self.paths.digest is None:
            return with_value(new, self.paths.tag, image.tag or version)
        return with_value(new, self.paths.digest, image.digest)

    def named(self, values: Mapping[str, Any], version: str, replicas: int) -> dict[str, Any]:
        """Values under the name of a version, such as those of the stable one for its baseline."""
        new = with_value(values, self.paths.name, self.workload(version))
        return new if self.paths.replicas is None else with_value(new, self.paths.replicas, replicas)

    def replicas(self, values: Mapping[str, Any]) -> int | None:
        """How many replicas effective values ask for; None where they don't say it."""
        count = value_at(values, self.paths.replicas) if self.paths.replicas is not None else None
        return count if isinstance(count, int) and not isinstance(count, bool) else None


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """What is at a path such as `image.tag`; None for nothing."""
    at: Any = values
    for key in path.split("."):
        at = at.get(key) if isinstance(at, Mapping) else None
    return at


def with_value(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The values with this at a path."""
    new = copy.deepcopy(dict(values))
    *way, last = path.split(".")
    at = new
    for key in way:
        if not isinstance(at.get(key), dict):
            at[key] = {}
        at = at[key]
    at[last] = value
    return new
