"""A POST that ends in time, whatever the other side does: hangs, trickles, redirects, answers without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

import requests

T = TypeVar("T")

CONNECT_S = 5.0
# Characters of an answer that are worth telling.
LENGTH = 300
# Beyond the time-outs of its parts: a service that sends a byte now and then, or a name that is looked up, has none.
GRACE_S = 2.0


def posted(
    url: str, headers: Mapping[str, str], timeout_s: float, most: int = 2 * LENGTH, **body: Any
) -> tuple[int, str]:
    """The answer's code, and as much of its text as is worth telling and came in time.

    Args:
        url, headers: Where to, and with what.
        timeout_s: Seconds.
        most: Bytes of the answer that are read.
        body: `json` or `data`, as `requests` has them.

    Raises:
        TimeoutError: It did not end in time; its thread ends with the process.
        requests.RequestException: No answer came.
    """
    return within(timeout_s + GRACE_S, lambda: _post(url, headers, timeout_s, most, body))


def _post(
    url: str, headers: Mapping[str, str], timeout_s: float, most: int, body: Mapping[str, Any]
) -> tuple[int, str]:
    deadline = time.monotonic() + timeout_s
    # A redirect would be followed by a GET, which carries nothing and may well be answered 200.
    with requests.post(
        url, headers=headers, timeout=(min(CONNECT_S, timeout_s), timeout_s), allow_redirects=False, stream=True, **body
    ) as answer:
        return answer.status_code, _beginning(answer, most, deadline)


def _beginning(answer: requests.Response, most: int, deadline: float) -> str:
    read = b""
    for part in answer.iter_content(1):  # of more it would wait until all of it has come
        read += part
        if len(read) >= most or time.monotonic() > deadline:
            break
    return read.decode(errors="replace").strip()


def within(seconds: float, do: Callable[[], T]) -> T:
    """What a call gives, if it ends in time; a thread that does not ends with the process.

    Raises:
        TimeoutError: It did not.
    """
    future: Future[T] = Future()

    def served() -> None:
        try:
            future.set_result(do())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=served, name="glidepath-post", daemon=True).start()
    return future.result(seconds)
