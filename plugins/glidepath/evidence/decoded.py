"""What a Prometheus answers, out of its JSON.

Nearly all of an answer are labels, and nearly all of them were there at the look before. So the labels of a series are read
once; after that they are known again by their text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder
from requests import Response

from glidepath.evidence.series import KNOWN, Labels, Row

NONE = Raw()


class _Series(Struct, gc=False):
    """A series in an answer. Its samples are told as text; they are read as numbers at once."""

    metric: Raw
    values: tuple[tuple[float, float], ...] = ()
    histograms: Raw = NONE


class _Result(Struct):
    resultType: str
    result: Raw


class _Answer(Struct):
    data: _Result


_answers, _matrices = Decoder(_Answer), Decoder(list[_Series], strict=False)
_labels, _histograms = Decoder(dict[str, str]), Decoder(list[Any])


def decoded(response: Response, **_: Any) -> Any:
    """As `Response.json`; of a range query's samples the values are numbers.

    Raises:
        requests.exceptions.JSONDecodeError: It is none.
    """
    try:
        data = _answers.decode(response.content).data
        if data.resultType == "matrix":
            rows = [_row(series) for series in _matrices.decode(data.result)]
            return {"data": {"resultType": data.resultType, "result": rows}}
    except (DecodeError, UnicodeDecodeError):
        pass  # an infinite sample, or what else has to be read, or refused, as it is
    return Response.json(response)


def _row(series: _Series) -> Row:
    row: Row = {"metric": _labels_in(bytes(series.metric)), "values": series.values}
    if series.histograms is not NONE:
        row["histograms"] = _histograms.decode(series.histograms)
    return row


@lru_cache(KNOWN)
def _labels_in(text: bytes) -> Labels:
    return Labels(_labels.decode(text))
