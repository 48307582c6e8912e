"""What may be told of a handover: errors go into the record, logs, reports and annotations, and secrets don't."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "***"
# Shorter ones are words of every text.
SHORTEST = 6
_SECRET_NAME = re.compile(
    r"TOKEN|PASS|SECRET|CREDENTIAL|AUTH|(?:^|_)(?:API|ACCESS|PRIVATE)?_?KEY(?:$|_)", re.IGNORECASE
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@'\"]+@")
_HEADER = re.compile(r"((?:proxy-)?authorization|private-token|x-api-key)(\W{1,3})[^\r\n'\"]+", re.IGNORECASE)


def hidden(text: str, secrets: Iterable[str] = ()) -> str:
    """A text without credentials: those given, those in addresses, in headers that carry them, and of the environment.

    Args:
        text: What a program or a service said.
        secrets: What else must not be told.
    """
    known = {*secrets, *(value for name, value in os.environ.items() if _SECRET_NAME.search(name))}
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return _HEADER.sub(rf"\1\2{HIDDEN}", _IN_ADDRESS.sub(f"{HIDDEN}@", text))


def address(url: str) -> str:
    """A URL without what may be secret in it: user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
