"""What a version is called in the cluster: any tag or digest of an image has a name that labels, subsets and objects can bear."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from glidepath.policy.fields import NAME

# A tag as registries have it; `+`, which they have not, is of SemVer's builds.
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"
VERSION = rf"^({TAG}|{DIGEST})$"
Version = Annotated[str, StringConstraints(pattern=VERSION)]
# Of a name: its longest, of a digest the letters that it bears, and of what tells two versions apart.
LONGEST, LETTERS, TOLD_APART = 63, 12, 8


@dataclass(frozen=True)
class Image:
    """A version's image, where its name alone does not say it: a tag or a digest; neither for a tag that is the name."""

    tag: str | None = None
    digest: str | None = None


def name_of(version: str) -> str:
    """The name of a version: the version itself where that is valid, else its letters and figures, with a hash where something got lost.

    Args:
        version: An image's tag or digest.
    """
    if re.match(NAME, version):
        return version
    if re.fullmatch(DIGEST, version):
        return f"sha256-{version.partition(':')[2][:LETTERS]}"
    plain = re.sub(r"[^a-z0-9]+", "-", version.lower()).strip("-")
    if plain == version.replace(".", "-") and re.match(NAME, plain):
        return plain
    mark = hashlib.sha256(version.encode()).hexdigest()[:TOLD_APART]
    short = plain[: LONGEST - TOLD_APART - 1].rstrip("-")
    return f"{short}-{mark}" if short else f"v-{mark}"


def image_of(version: str) -> Image:
    """What its image is, beside its name. A `+`, which no tag can have, is a `_` there, as Helm writes it."""
    if re.fullmatch(DIGEST, version):
        return Image(digest=version)
    return Image() if name_of(version) == version else Image(tag=version.replace("+", "_"))
