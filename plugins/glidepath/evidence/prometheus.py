"""Prometheus through prometheus-api-client: time-outs, bounded retries, raw samples."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from glidepath.errors import EvidenceError

REFUSED = {
    401: "the connection's login, password or Authorization header is missing, wrong or out of date",
    403: "the connection's account may not query it",
}
log = logging.getLogger(__name__)
TIMEOUT_S = 4
# A query changes nothing: it may be sent again although it goes by POST, which urllib3 else never does.
RETRY = Retry(total=1, backoff_factor=0.2, status_forcelist=(502, 503, 504), allowed_methods=None)


Key = tuple[tuple[str, str], ...]
# A series in an answer: `metric`, its labels, and `values`, `histograms` or `value`.
Row = dict[str, Any]
# Labels that name one process.
PROCESS = ("pod", "instance")
# So many series' labels are remembered with what follows from them; beyond, it is found out anew.
KNOWN = 131072


@lru_cache(KNOWN)
def process_of(key: Key) -> Key:
    """Which process a series comes from, by its labels; one that names none is its own."""
    labels = dict(key)
    return tuple((label, labels[label]) for label in PROCESS if labels.get(label)) or key


@lru_cache(KNOWN)
def pod_in(key: Key) -> str:
    """The pod in a series' or process' labels; empty where there is none."""
    return dict(key).get("pod", "")


@dataclass(frozen=True)
class Series:
    """One series: its labels and its samples as (epoch seconds, value), oldest first."""

    labels: dict[str, str]
    samples: tuple[tuple[float, float], ...]

    @cached_property
    def key(self) -> Key:
        """The labels as a hashable identity."""
        return tuple(sorted(self.labels.items()))

    @cached_property
    def process(self) -> Key:
        """Which process it comes from."""
        return process_of(self.key)


@dataclass(frozen=True)
class Grown(Series):
    """A sum of counters: its one sample is by how much they grew since they were read last."""


@dataclass(frozen=True)
class Histogram:
    """A series of native histograms: its labels and its samples as (epoch seconds, count, buckets), oldest first.

    A bucket is (lower bound, upper bound, count), not cumulative; empty ones are left out.
    """

    labels: dict[str, str]
    samples: tuple[tuple[float, float, tuple[tuple[float, float, float], ...]], ...]


class Reader(Protocol):
    """Whatever gives the samples of a selector's series; arguments and errors as `Prometheus`'."""

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """Samples of counters."""

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """Samples of native histograms."""


class Samples(Reader, Protocol):
    """Whatever answers as `Prometheus` does."""

    def vector(self, expression: str, at: float) -> list[Series]:
        """What an expression comes to at a time."""

    def now(self) -> float:
        """The clock of its samples, epoch seconds."""


class Queries(Samples, Protocol):
    """A server that can be asked anything that Prometheus can, at its base URL."""

    url: str

    def rows(self, query: str, at: float) -> list[Row]:
        """The answer to a query, as `Prometheus.rows`."""


class Prometheus:
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

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """The samples of each series in the window that ends at `at`.

        Args:
            selector: A series selector, already quoted.
            window_s: Length of the window, seconds.
            at: Its end, epoch seconds.
            step_s: None for the raw samples; else one sample every so many seconds.

        Raises:
            EvidenceError: Prometheus did not answer in time, or answered with an error.
        """
        return series_in(self.rows(ranged(selector, window_s, step_s), at))

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """The native histograms of each series in the window that ends at `at`; arguments and errors as `range_vector`'s."""
        return histograms_in(self.rows(ranged(selector, window_s, step_s), at))

    def vector(self, expression: str, at: float) -> list[Series]:
        """What an expression comes to at a time: series of one sample each.

        Args:
            expression: PromQL that gives an instant vector, already quoted.
            at: The time, epoch seconds.

        Raises:
            NotAnsweredError: Prometheus can't answer this.
            EvidenceError: Prometheus did not answer in time, or answered with an error.
        """
        return vector_in(self.rows(expression, at))

    def now(self) -> float:
        """Prometheus' own clock, epoch seconds: that of its samples.

        Raises:
            EvidenceError: As in `range_vector`.
        """
        answer = self._query("time()", None)
        return float(answer[1])

    def rows(self, query: str, at: float) -> list[Row]:
        """What a query comes to at a time, epoch seconds, as Prometheus' API has it: a list of series.

        Raises:
            NotAnsweredError, EvidenceError: As in `vector`.
        """
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
    """Sends what it posts as a form: a query may be longer than an address is allowed to be, and is encoded once."""

    def request(self, method: str | bytes, url: str | bytes, **how: Any) -> requests.Response:  # type: ignore[override]
        if method == "POST" and "data" not in how:
            how["data"] = how.pop("params", None)
        return super().request(method, url, **how)


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


def ranged(selector: str, window_s: float, step_s: float | None) -> str:
    """The query of a selector's samples in a window; the times in seconds."""
    step = "" if step_s is None else f":{max(1, round(step_s))}s"
    return f"{selector}[{whole_seconds(window_s)}s{step}]"


def whole_seconds(window_s: float) -> int:
    """The length of a window as it is asked for."""
    return max(1, round(window_s))


def series_in(rows: Iterable[Row]) -> list[Series]:
    """The counters of a range query's answer."""
    return [
        Series(row["metric"], tuple((float(at), float(value)) for at, value in row["values"]))
        for row in rows
        if row.get("values")
    ]


def histograms_in(rows: Iterable[Row]) -> list[Histogram]:
    """The native histograms of a range query's answer."""
    return [
        Histogram(row["metric"], tuple(_histogram(float(at), value) for at, value in row["histograms"]))
        for row in rows
        if row.get("histograms")
    ]


def vector_in(rows: Iterable[Row]) -> list[Series]:
    """The series of an instant vector, of one sample each."""
    return [Series(row["metric"], ((float(row["value"][0]), float(row["value"][1])),)) for row in rows]


def _histogram(at: float, value: dict[str, Any]) -> tuple[float, float, tuple[tuple[float, float, float], ...]]:
    buckets = ((float(low), float(high), float(count)) for _, low, high, count in value.get("buckets", ()))
    return at, float(value["count"]), tuple(buckets)
