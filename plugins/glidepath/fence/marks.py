"""The annotations by which the fence knows an object: its claim's token, and whether it is held."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from glidepath.errors import SetupError
from glidepath.kube import STATE, TOKEN, WRITE

# Digits of a token that a release may begin with, and of any claim's. By hand the fence lets 12 pass, and it reads 15: from
# each of them there is a next one.
TO_BEGIN, BY_CLAIMS = 13, 14
Found = Mapping[str, Any]


def state_of(live: Found) -> str:
    """Whether an object is HELD or OPEN; empty where no release has had it."""
    return _note(live, STATE)


def token_of(live: Found) -> int:
    """The fencing token an object carries. 0 for none, or for what no claim can have: that keeps nobody from writing."""
    return _number(_note(live, TOKEN) or "0", BY_CLAIMS) or 0


def write_of(live: Found) -> int:
    """The number of the last upgrade through Helm that an object carries; 0 for none."""
    return _number(_note(live, WRITE), BY_CLAIMS) or 0


def proper_token_of(live: Found) -> int:
    """As `token_of`, for whoever is about to begin.

    Raises:
        SetupError: Somebody wrote something else there; of what is held the cluster would have refused it.
    """
    text = _note(live, TOKEN) or "0"
    if _number(text, TO_BEGIN) is None:
        raise SetupError(
            f"{live['metadata']['name']} has the annotation {TOKEN}={text!r}, expected a whole number of at most "
            f"{TO_BEGIN} digits; remove it"
        )
    return token_of(live)


def _number(text: str, digits: int) -> int | None:
    """A whole number as the fence reads one; None for anything else."""
    return int(text) if re.fullmatch(rf"[0-9]{{1,{digits}}}", text) else None


def _note(live: Found, name: str) -> str:
    return str((live["metadata"].get("annotations") or {}).get(name) or "")
