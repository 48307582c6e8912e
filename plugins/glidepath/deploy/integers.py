"""Which large numbers of a release's values Helm is to be given as integers.

What is deployed was made in one way or the other (`numbers`), and an upgrade must not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glidepath.deploy.manifests import Object, by_name
from glidepath.deploy.numbers import Path, large
from glidepath.deploy.overlay import changes
from glidepath.deploy.release import HelmRelease

Places = frozenset[Path]


class Integers:
    """Finds them once for a revision.

    Args:
        deployed: The objects of a revision.
        rendered: What Helm would make of a release's values with the numbers at these places as integers.
    """

    def __init__(
        self,
        deployed: Callable[[int], Sequence[Object]],
        rendered: Callable[[HelmRelease, Places], Sequence[Object]],
    ) -> None:
        self._deployed, self._rendered = deployed, rendered
        self._known: tuple[int, Places] | None = None

    def of(self, current: HelmRelease | None) -> Places:
        """The places of the numbers that were given as integers for what is deployed; none where nothing is deployed."""
        if current is None:
            return frozenset()
        if self._known is None or self._known[0] != current.revision:
            self._known = (current.revision, self._find(current))
        return self._known[1]

    def _find(self, current: HelmRelease) -> Places:
        places = [place for place, _ in large(current.values)]
        if not places:
            return frozenset()
        deployed = by_name(self._deployed(current.revision))

        def off(chosen: Places) -> int:
            return sum(1 for _ in changes(deployed, by_name(self._rendered(current, chosen))))

        none, every = off(frozenset()), frozenset(places)
        if none == 0 or len(places) == 1:
            return every if none and off(every) < none else frozenset()
        return every if off(every) == 0 else frozenset(place for place in places if off(frozenset({place})) < none)
