"""What a Prometheus answers is read as its JSON says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Response
from requests.exceptions import JSONDecodeError

from glidepath.evidence.decoded import decoded
from glidepath.evidence.series import Labels, Series, histograms_in, series_in

LABELS = st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=8), max_size=5)
SAMPLES = st.lists(st.tuples(st.floats(0, 2e9).map(lambda at: round(at, 3)), st.floats()), min_size=1, max_size=6)


def response(body: bytes) -> Response:
    """An answer with this body."""
    made = Response()
    made.status_code, made._content = 200, body
    return made


def answered(kind: str, result: Any) -> Response:
    """An answer of Prometheus'."""
    return response(json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode())


def text(value: float) -> str:
    """A sample's value as Prometheus writes it."""
    return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN" if math.isnan(value) else repr(value))


@given(st.lists(st.tuples(LABELS, SAMPLES), max_size=4))
def test_samples_are_what_float_makes_of_them(series: list[tuple[dict[str, str], list[tuple[float, float]]]]) -> None:
    rows = [{"metric": labels, "values": [[at, text(value)] for at, value in samples]} for labels, samples in series]
    got = series_in(decoded(answered("matrix", rows))["data"]["result"])
    expected = [Series(row["metric"], tuple((float(at), float(value)) for at, value in row["values"])) for row in rows]
    assert [repr(one) for one in got] == [repr(one) for one in expected]
    assert [(one.key, one.process) for one in got] == [(one.key, one.process) for one in expected]


def test_the_labels_of_a_series_are_one_object_for_all_answers() -> None:
    row = {"metric": {"pod": "a", "le": "0.1"}, "values": [[1.5, "2"]]}
    first, second = (decoded(answered("matrix", [row]))["data"]["result"][0]["metric"] for _ in range(2))
    assert isinstance(first, Labels)
    assert first is second
    assert first == {"pod": "a", "le": "0.1"}
    assert (first.key, first.process) == ((("le", "0.1"), ("pod", "a")), (("pod", "a"),))


def test_native_histograms_come_along() -> None:
    histogram = {"count": "3", "sum": "1", "buckets": [[0, "0.1", "0.2", "3"]]}
    row = {"metric": {"pod": "a"}, "histograms": [[5, histogram]]}
    (got,) = histograms_in(decoded(answered("matrix", [row]))["data"]["result"])
    assert got.samples == ((5.0, 3.0, ((0.1, 0.2, 3.0),)),)


@pytest.mark.parametrize(
    ("kind", "result"),
    [("scalar", [1.5, "1.5"]), ("vector", [{"metric": {"a": "b"}, "value": [1, "2"]}]), ("matrix", [{"values": []}])],
)
def test_whatever_else_is_as_it_is(kind: str, result: Any) -> None:
    assert decoded(answered(kind, result))["data"]["result"] == result


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": {"resultType": "matrix", "result": [{"metric"'])
def test_what_is_no_json_is_an_error_of_requests(body: bytes) -> None:
    with pytest.raises(JSONDecodeError):
        decoded(response(body))
