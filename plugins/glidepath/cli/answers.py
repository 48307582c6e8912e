"""What a server answers, and whether it is Airflow's: in front of it a proxy, or a page to log in at, may answer as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from glidepath.errors import ServerError

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
LONGEST = 500
NOT_AIRFLOW = "is this Airflow with Glidepath of this version, and does a login page stand in front of it?"


def told(answer: requests.Response, read: Callable[[Any], T]) -> T:
    """What is read of an answer's JSON.

    Raises:
        ServerError: It is none, or none of that kind.
    """
    try:
        return read(answer.json())
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ServerError(
            f"{_asked(answer)}: {answer.status_code}: answered what is not expected there: {NOT_AIRFLOW}"
        ) from error


def whole(answer: requests.Response, form: str) -> str:
    """An answer that is one document.

    Args:
        answer: The answer.
        form: `evidence`, or one of a report's forms.

    Raises:
        ServerError: It is no such document.
    """
    text = answer.content.decode("utf-8", "replace")
    if not _is_a(form, text):
        raise ServerError(f"{_asked(answer)}: answered what is no {form} of a release: {NOT_AIRFLOW}")
    return text


def _is_a(form: str, text: str) -> bool:
    if form == "html":
        return '<p class="state">' in text
    if form == "markdown":
        return text.startswith("# ")
    try:
        first = json.loads(text.partition("\n")[0] if form == "evidence" else text)
    except ValueError:
        return False
    return isinstance(first, dict) and ("format" if form == "evidence" else "sections") in first


def unmoved(answer: requests.Response, what: str) -> None:
    """Make sure that an answer sends nobody elsewhere: what asks would change to what reads, and be taken for done.

    Args:
        answer: The answer.
        what: Method, address and code.

    Raises:
        ServerError: Says where to.
    """
    code = answer.status_code
    if HTTPStatus.MULTIPLE_CHOICES <= code < HTTPStatus.BAD_REQUEST and code != HTTPStatus.NOT_MODIFIED:
        to = urlsplit(answer.headers.get("Location", ""))
        place = f"{to.scheme}://{to.hostname}" if to.hostname else to.path or "nowhere"
        raise ServerError(
            f"{what}: sent on to {place}: expected Airflow's own address, as https where it has that, and no login page in front"
        )


def detail(answer: requests.Response) -> str:
    """What a refusal says, shortened; FastAPI's errors have it as `detail`. Of a page in HTML its code's name."""
    try:
        return str(answer.json().get("detail", answer.text))[:LONGEST]
    except (ValueError, AttributeError):
        text = answer.text.strip()
    return answer.reason if text.startswith("<") or not text else text[:LONGEST]


def _asked(answer: requests.Response) -> str:
    return f"{answer.request.method} {answer.url}"
