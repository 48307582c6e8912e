"""What Helm says of a release: as it is, and as an upgrade would make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glidepath.deploy.manifests import Object
from glidepath.deploy.overlay import Laid


@dataclass(frozen=True)
class HelmRelease:
    """What Helm knows of a release.

    Attributes:
        revision: The last revision that was deployed; the newest one where none was.
        status: Of the newest revision: `failed` after a refused upgrade, which may have changed objects.
        values: What its users gave to `revision`.
        newest: The newest revision.
        laid: What this upgrade left to its owners.
    """

    name: str
    namespace: str
    revision: int
    status: str
    values: Mapping[str, Any]
    newest: int = 0
    laid: tuple[Laid, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What an upgrade would apply; nothing was touched.

    Attributes:
        objects: Its objects, as Helm renders them.
        hooks: Its hooks, each with its `events`.
        laid: What it would leave to its owners.
        random: The fields that are rendered in another way each time, in words.
    """

    objects: Sequence[Object]
    hooks: Sequence[Mapping[str, Any]] = ()
    laid: tuple[Laid, ...] = ()
    random: tuple[str, ...] = ()
