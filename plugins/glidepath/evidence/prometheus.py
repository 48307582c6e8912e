"""Prometheus through prometheus-api-client: time-outs, bounded retries, raw samples."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from glidepath.errors import EvidenceError
from glidepath.evidence.decoded import decoded
from glidepath.evidence.series import Answers, Row

REFUSED = {
    401: "the connection's login, password or Authorization header is missing, wrong or out of date",
    403: "the connection's account may not query it",
}
log = logging.getLogger(__name__)
TIMEOUT_S = 4
# A query changes nothing: it may be sent again although it goes by POST, which urllib3 else never does.
RETRY = Retry(total=1, backoff_factor=0.2, status_forcelist=(502, 503, 504), allowed_methods=None)


class Prometheus(Answers):
    """A Prometheus server.

    Args:
        url: Its base URL.
        headers: HTTP headers for every call, such as an Authorization.
        timeout_s: Time-out of one call, seconds.
        ca: File of the certificate authorities that its certificate is checked by; None: those of the system.
        auth: Signs each request, as `requests` has it.
        renew: Gives the headers anew after a refusal: tokens rotate.

    Attributes:
        identity: Alike for those that are the same server, asked by the same account. It has secrets: it is for no log.
    """

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, timeout_s: float = TIMEOUT_S, ca: str | None = None,
        auth: AuthBase | None = None, renew: Callable[[], dict[str, str]] | None = None,
    ) -> None:  # fmt: skip
        self.url, self._timeout_s, self._renew = url.rstrip("/"), timeout_s, renew
        signed = type(auth).__qualname__ if auth is not None else ""
        self.identity = self.url, tuple(sorted((headers or {}).items())), ca or "", signed, timeout_s
        session = _Form()
        session.hooks["response"].append(_whole)
        session.verify = ca or True
        self._client = PrometheusConnect(
            self.url, headers=headers, retry=RETRY, method="POST", auth=auth, session=session
        )

    def now(self) -> float:
        """Prometheus' own clock, epoch seconds: that of its samples.

        Raises:
            EvidenceError: As in `range_vector`.
        """
        answer = self._query("time()", None)
        return float(answer[1])

    def rows(self, query: str, at: float) -> list[Row]:
        """As `Answers.rows`."""
        rows: list[Row] = self._query(query, at)
        return rows

    def _query(self, query: str, at: float | None) -> Any:
        log.debug("query at %s: %s", at, query)
        params = {"timeout": f"{self._timeout_s}s"} | ({} if at is None else {"time": f"{at:.3f}"})
        try:
            return self._sent(query, params)
        except RefusedError as error:
            if not self._renewed():
                raise
            log.info("%s; asked again with what the connection has now", error)
            return self._sent(query, params)

    def _renewed(self) -> bool:
        """Whether there are other headers than those that were refused."""
        had = dict(self._client.headers or {})
        if self._renew is not None:
            self._client.headers = self._renew() or None
        return dict(self._client.headers or {}) != had

    def _sent(self, query: str, params: dict[str, str]) -> Any:
        try:
            return self._client.custom_query(query, params=params, timeout=self._timeout_s)
        except (requests.RequestException, PrometheusApiClientException, ValueError, KeyError) as error:
            kind = NotAnsweredError if isinstance(error, PrometheusApiClientException) else EvidenceError
            raise kind(unanswered(self.url, query, error)) from error


class NotAnsweredError(EvidenceError):
    """Prometheus answered, but not this query: it can't, or it would be too much."""


class RefusedError(EvidenceError):
    """Prometheus, or who stands before it, does not let this caller in."""


def unanswered(where: str, query: str, why: object) -> str:
    """What is said of a query that a Prometheus did not answer."""
    return f"Prometheus at {where} did not answer the query {query!r}: {why}. Is it up, and is the URL of the connection right?"


class _Form(requests.Session):
    """Sends what it posts as a form: a query may be longer than an address is allowed to be, and is encoded once.

    What comes is read as `decoded` does.
    """

    def request(self, method: str | bytes, url: str | bytes, **how: Any) -> requests.Response:  # type: ignore[override]
        if method == "POST" and "data" not in how:
            how["data"] = how.pop("params", None)
        response = super().request(method, url, **how)
        response.json = partial(decoded, response)  # type: ignore[method-assign]
        return response


def _whole(response: requests.Response, **_: Any) -> None:
    """Make sure that an answer is whole: behind a querier of several stores a warning says that one did not answer.

    Raises:
        RefusedError: There is none: the caller was refused.
        EvidenceError: It came with warnings.
    """
    if response.status_code in REFUSED:
        raise RefusedError(
            f"Prometheus at {response.url.partition('?')[0]} refuses this caller ({response.status_code} {response.reason}): "
            f"{REFUSED[response.status_code]}"
        )
    if response.status_code != requests.codes.ok or b'"warnings"' not in response.content:
        return
    answer = response.json()
    if isinstance(answer, dict) and answer.get("warnings"):
        warnings = "; ".join(str(warning) for warning in answer["warnings"])
        raise EvidenceError(
            f"Prometheus at {response.url.partition('?')[0]} answered with warnings, so some of the counts may be missing: {warnings}"
        )
