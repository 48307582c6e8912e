"""Prometheus over real HTTP: what is asked, and what happens when the answer is slow, wrong or missing."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
import requests
from requests.auth import AuthBase

from glidepath.errors import EvidenceError
from glidepath.evidence import Prometheus, app_source, mesh_source
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.source import quoted
from tests.support.loopback import Handler, listening


class Answer:
    """What the server says next, and what it was asked."""

    status, body, delay_s = 200, b"{}", 0.0

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.headers: list[dict[str, str]] = []
        self.addresses: list[str] = []
        self.before: list[int] = []  # statuses that are answered first


@pytest.fixture
def server() -> Iterator[tuple[Answer, Prometheus]]:
    """A server under the test's control, and the client on it with a short time-out."""
    answer = Answer()

    class Answering(Handler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            answer.headers.append(dict(self.headers))
            answer.addresses.append(self.path)
            answer.asked.append(parse_qs(self.rfile.read(length).decode()) | parse_qs(self.path.partition("?")[2]))
            time.sleep(answer.delay_s)
            self.send_response(answer.before.pop(0) if answer.before else answer.status)
            self.end_headers()
            self.wfile.write(answer.body)

    with listening(Answering) as url:
        yield answer, Prometheus(url, timeout_s=1)


def test_raw_samples_are_asked_for_and_read(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server
    rows = [{"metric": {"pod": "a"}, "values": [[100.5, "1"], [105.5, "3"]]}]
    answer.body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}).encode()
    (series,) = prometheus.range_vector('m{a="b"}', 59.7, 106)
    assert series.samples == ((100.5, 1.0), (105.5, 3.0))
    assert answer.asked[0]["query"] == ['m{a="b"}[60s]']
    assert answer.asked[0]["time"] == ["106.000"]


def test_a_long_query_is_no_part_of_the_address(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server
    row = {"metric": {"pod": "a"}, "value": [106, "7"]}
    answer.body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [row]}}).encode()
    (series,) = prometheus.vector("sum(m)" + " or sum(m)" * 2000, 106)
    assert series.samples == ((106.0, 7.0),)
    assert answer.addresses == ["/api/v1/query"]
    assert len(answer.asked[0]["query"][0]) > 20000


def test_a_query_that_can_not_be_answered_is_told_from_a_server_that_is_down(
    server: tuple[Answer, Prometheus],
) -> None:
    answer, prometheus = server
    answer.status, answer.body = 400, b'{"status": "error", "errorType": "bad_data", "error": "unexpected @"}'
    with pytest.raises(NotAnsweredError, match="unexpected @"):
        prometheus.vector("m @ 5", 106)
    answer.status = 503
    with pytest.raises(EvidenceError) as down:
        prometheus.vector("m", 106)
    assert not isinstance(down.value, NotAnsweredError)


def test_a_series_of_counters_and_one_of_native_histograms_are_told_apart(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server
    counted = {"count": "7", "sum": "0.5", "buckets": [[3, "-0.001", "0.001", "2"], [0, "0.05", "+Inf", "5"]]}
    rows = [
        {"metric": {"pod": "a"}, "histograms": [[100.5, counted]]},
        {"metric": {"pod": "b"}, "values": [[100.5, "1"]]},
        {"metric": {"pod": "c"}, "histograms": [[100.5, {"count": "0", "sum": "0"}]]},
    ]
    answer.body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}).encode()
    assert [one.labels["pod"] for one in prometheus.range_vector("m", 60, 106)] == ["b"]
    first, empty = prometheus.range_histograms("m", 60, 106, 15)
    assert first.samples == ((100.5, 7.0, ((-0.001, 0.001, 2.0), (0.05, math.inf, 5.0))),)
    assert empty.samples == ((100.5, 0.0, ()),)
    assert answer.asked[1]["query"] == ["m[60s:15s]"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (404, b"not found"),
        (400, json.dumps({"status": "error", "error": "parse error"}).encode()),
        (200, b"<html>a login page</html>"),
        (200, b'{"status": "success"}'),
    ],
)
def test_an_answer_that_is_no_evidence_is_an_error(server: tuple[Answer, Prometheus], status: int, body: bytes) -> None:
    answer, prometheus = server
    answer.status, answer.body = status, body
    with pytest.raises(EvidenceError, match=r"did not answer the query 'm\[5s\]'"):
        prometheus.range_vector("m", 5, 106)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_refusal_that_lasts_for_one_request_is_asked_again(server: tuple[Answer, Prometheus], status: int) -> None:
    answer, prometheus = server
    answer.before = [status]
    rows = [{"metric": {"pod": "a"}, "values": [[100.5, "1"]]}]
    answer.body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}).encode()
    assert [one.samples for one in prometheus.range_vector("m", 5, 106)] == [((100.5, 1.0),)]
    assert len(answer.asked) == 2
    answer.before = [status, status, status]
    with pytest.raises(EvidenceError, match="did not answer"):
        prometheus.range_vector("m", 5, 106)
    assert len(answer.asked) == 4


@pytest.mark.parametrize(("status", "told"), [(401, "login, password or Authorization header"), (403, "may not query")])
def test_a_refusal_is_told_as_one(server: tuple[Answer, Prometheus], status: int, told: str) -> None:
    answer, prometheus = server
    answer.status = status
    with pytest.raises(EvidenceError, match=rf"refuses this caller \({status} .*{told}"):
        prometheus.now()
    assert len(answer.asked) == 1


def test_the_headers_are_read_again_after_a_refusal(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server
    tokens = iter(["Bearer new", "Bearer new"])
    rotating = Prometheus(
        prometheus.url, {"Authorization": "Bearer old"}, 1, renew=lambda: {"Authorization": next(tokens)}
    )
    answer.before, answer.body = [401], json.dumps({"status": "success", "data": {"result": [0, "7"]}}).encode()
    assert rotating.now() == 7
    assert [one["Authorization"] for one in answer.headers] == ["Bearer old", "Bearer new"]
    answer.before = [401]  # nothing newer: asked once, and told
    with pytest.raises(EvidenceError, match="refuses this caller"):
        rotating.now()
    assert len(answer.asked) == 3


def test_requests_are_signed_by_what_is_given(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server

    class Signed(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["X-Signed"] = "yes"
            return request

    answer.body = json.dumps({"status": "success", "data": {"result": [0, "7"]}}).encode()
    assert Prometheus(prometheus.url, timeout_s=1, auth=Signed()).now() == 7
    assert answer.headers[0]["X-Signed"] == "yes"


def test_an_answer_with_warnings_is_no_evidence(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server
    rows = [{"metric": {"pod": '"warnings"'}, "values": [[100.5, "1"]]}]
    told: dict[str, object] = {"status": "success", "data": {"resultType": "matrix", "result": rows}}
    answer.body = json.dumps(told).encode()
    assert len(prometheus.range_vector("m", 5, 106)) == 1
    answer.body = json.dumps({**told, "warnings": ["store 10.0.0.7: no answer"]}).encode()
    with pytest.raises(EvidenceError, match=r"answered with warnings.*store 10\.0\.0\.7: no answer"):
        prometheus.range_vector("m", 5, 106)


def test_a_slow_answer_is_given_up_in_time(server: tuple[Answer, Prometheus]) -> None:
    answer, prometheus = server
    answer.delay_s = 3
    started = time.monotonic()
    with pytest.raises(EvidenceError):
        prometheus.range_vector("m", 5, 106)
    assert time.monotonic() - started < 2.9


def test_a_closed_port_is_an_error_with_the_address() -> None:
    with pytest.raises(EvidenceError, match=r"127\.0\.0\.1:9.*Is it up"):
        Prometheus("http://127.0.0.1:9").now()


@pytest.mark.parametrize("evil", ['v2"} or vector(1) #', "v2\\", "v2\n}", "v.2|.*"])
def test_no_text_leaves_its_string_in_promql(evil: str) -> None:
    for make in (app_source, mesh_source):
        source = make(evil, evil, ["v1", evil])
        for selector in (source.requests, source.latency):
            # Without its string literals a selector has no text of ours left.
            rest = []
            inside = escaped = False
            for letter in selector:
                if inside and escaped:
                    escaped = False
                elif inside and letter == "\\":
                    escaped = True
                elif letter == '"':
                    inside = not inside
                elif not inside:
                    rest.append(letter)
            assert not inside
            assert "vector" not in "".join(rest)
            assert "\n" not in selector
    assert json.loads(quoted(evil)) == evil


def test_sources_tell_errors_as_their_telemetry_does() -> None:
    app, mesh = app_source("n", "s", ["v1"]), mesh_source("n", "s", ["v1"])
    assert [app.is_error({"status": status}) for status in ("success", "error")] == [False, True]
    assert [mesh.is_error({"response_code": code}) for code in ("200", "404", "500", "503", "0")] == [
        False,
        False,
        True,
        True,
        True,
    ]
