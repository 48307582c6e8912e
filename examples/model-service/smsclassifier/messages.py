"""What a request has to look like; the refusals say what is wrong with it."""

from __future__ import annotations

import json

MAX_BODY = 16 * 1024


class Refusal(Exception):
    """A request that can't be answered as it is.

    Attributes:
        status: The HTTP status, 4xx.
        reason: A word for programs and metrics.
        message: What is wrong, and what was expected, for people.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


def check_type(content_type: str) -> None:
    """Refuse a body that is not announced as JSON.

    Raises:
        Refusal: 415.
    """
    if content_type != "application/json":
        raise Refusal(415, "content_type", f"Content-Type is {content_type or 'absent'!r}, expected 'application/json'")


def text_of(body: bytes) -> str:
    """The message in a request's body, which is {"sms": "..."}.

    Raises:
        Refusal: 400 no JSON, 413 too large, 422 not of that form.
    """
    if len(body) > MAX_BODY:
        raise oversized()
    if not body:
        raise Refusal(400, "empty_body", 'the body is empty, expected {"sms": "..."}')
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_json", f'the body is no JSON ({error}), expected {{"sms": "..."}}') from error
    if not isinstance(given, dict):
        raise Refusal(422, "bad_form", f'the body is a JSON {kind(given)}, expected an object {{"sms": "..."}}')
    if "sms" not in given:
        raise Refusal(422, "missing_field", f"field 'sms' is missing, fields given: {sorted(given)[:5]}")
    unknown = sorted(set(given) - {"sms"})
    if unknown:
        raise Refusal(422, "unknown_field", f"unknown fields {unknown[:5]}, expected only 'sms'")
    sms = given["sms"]
    if not isinstance(sms, str):
        raise Refusal(422, "bad_type", f"field 'sms' is a JSON {kind(sms)}, expected a string")
    if not sms.strip():
        raise Refusal(422, "empty_sms", "field 'sms' is empty, expected the text of a message")
    return sms


def oversized() -> Refusal:
    """The refusal of a body that is too large."""
    return Refusal(413, "oversized", f"the body is larger than {MAX_BODY} bytes, expected the text of one message")


def kind(value: object) -> str:
    """JSON's own word for the type of a value."""
    words = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return words.get(type(value), "number")
