"""What carries messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as OutOfTime

import requests
import urllib3

from glidepath.errors import MessageError
from glidepath.handover.posting import LENGTH, posted
from glidepath.handover.secrets import address, hidden
from glidepath.messages.message import Message

# Answers after which the same message may be taken in a moment.
MAY_PASS = frozenset({408, 409, 423, 425, 429})


class Carrier(ABC):
    """Carries messages to one place.

    Attributes:
        every: Whether it is told all news, in order; else only the newest when several have gathered.
    """

    every = False

    @abstractmethod
    def send(self, message: Message, thread: str) -> str:
        """Send one message, once; the thread that later ones of the release answer to, empty for none.

        Args:
            message: What is told.
            thread: What an earlier message of the release gave; empty for the first.

        Raises:
            MessageError: It was not taken, or nobody knows.
        """


# An address and headers, read anew for each message: a secret that was changed is the new one.
Address = Callable[[], tuple[str, Mapping[str, str]]]


def post(
    where: Address, path: str, timeout_s: float, json: object, headers: Mapping[str, str], most: int = LENGTH
) -> str:
    """What a service answers to a POST, when it takes it.

    Args:
        where, path: Its address, and what is added to it.
        timeout_s: Seconds.
        json: The body.
        headers: Beside the secret ones.
        most: Bytes of the answer that are read.

    Raises:
        MessageError: It does not, or not in time; without secrets.
    """
    try:
        base, secret = where()
    except Exception as error:  # whatever keeps secrets has its own errors
        raise MessageError(f"the connection could not be read: {error}") from error
    url, shown = f"{base}{path}", address(f"{base}{path}")
    try:
        code, text = posted(url, {**secret, **headers}, timeout_s, most, json=json)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OutOfTime, ValueError, OSError) as error:
        raise MessageError(f"{shown} did not answer within {timeout_s:g} s: {type(error).__name__}") from error
    if 200 <= code < 300:
        return text
    known = [*secret.values(), *(value.split(" ", 1)[-1] for value in secret.values())]
    raise MessageError(f"{shown} answered {code}: {hidden(text, known)[:LENGTH]}", code >= 500 or code in MAY_PASS)
