"""A handover by HTTP: the word as JSON in a POST; 2xx decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as OutOfTime

import requests
import urllib3

from glidepath.errors import HandoverError
from glidepath.handover.port import Handover, Word
from glidepath.handover.posting import LENGTH, posted
from glidepath.handover.secrets import address, hidden

# Answers after which the same request may be answered otherwise in a moment.
MAY_PASS = frozenset({408, 409, 423, 425, 429})
# Answers of which no promotion can come: it was refused before it was looked at.
NOT_LOOKED_AT = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429})


class Webhook(Handover):
    """Posts to a service that changes the values.

    Args:
        address: Gives its URL and headers; asked at each call, so that a secret that was changed is the new one.
        tries: How often at most.
        timeout_s: Of one try, seconds.
        pause_s: As for every handover.
    """

    def __init__(
        self, address: Callable[[], tuple[str, Mapping[str, str]]], tries: int, timeout_s: float, pause_s: float = 2.0
    ) -> None:
        super().__init__(tries, timeout_s, pause_s)
        self._address = address

    def check(self) -> str:
        """See `Handover.check`. Nothing is sent."""
        return f"a POST to {address(self._address()[0])}"

    def once(self, word: Word) -> str:
        """See `Handover.once`."""
        try:
            url, headers = self._address()
        except Exception as error:  # whatever keeps secrets has its own errors; it must not keep a rollback from ending
            raise HandoverError(f"the webhook's address could not be read: {error}", untold=True) from error
        shown = address(url)
        try:
            code, answer = posted(url, {**headers, "Idempotency-Key": word.key}, self._timeout_s, json=word.to_dict())
        except (requests.RequestException, urllib3.exceptions.HTTPError, OutOfTime, ValueError) as error:
            untold = isinstance(error, requests.ConnectTimeout) or _refused(error)
            message = f"{shown} did not answer within {self._timeout_s:g} s: {type(error).__name__}"
            raise HandoverError(message, untold=untold) from error
        text = hidden(answer, [*headers.values(), *(value.split(" ", 1)[-1] for value in headers.values())])[:LENGTH]
        if 200 <= code < 300:
            return f"{code} {text}".strip()
        may_pass = code >= 500 or code in MAY_PASS
        raise HandoverError(f"{shown} answered {code}: {text}", may_pass, untold=code in NOT_LOOKED_AT)


def _refused(error: Exception) -> bool:
    """Whether no connection came about: the name or the port is none."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
