"""When processes began anew: looked for scrape by scrape only where a counter fell."""

from __future__ import annotations

import copy
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.evidence import lives
from glidepath.evidence.lives import Lives, Sample, Use
from glidepath.evidence.series import Series

value = st.one_of(st.integers(0, 3000), st.just(math.nan))
samples = st.lists(value, min_size=1, max_size=6)


def fits(counted: float, seconds: float) -> bool:
    """Up to 40 a second."""
    return counted <= 40 * seconds


@settings(max_examples=300, deadline=None)
@given(
    read=st.lists(st.tuples(samples, st.one_of(st.none(), value)), min_size=1, max_size=4),
    rising=st.booleans(),
    own=st.lists(st.just(990.0), max_size=1),
)
def test_it_is_found_as_by_every_scrape(
    read: list[tuple[list[float], float | None]], rising: bool, own: list[float]
) -> None:
    mine, last = dict[Use, Series](), dict[Use, Sample]()
    for number, (values, before) in enumerate(read):
        one = Series({"pod": "a", "route": str(number)}, tuple((1000.0 + 5 * at, count) for at, count in
                     enumerate(sorted(values, key=lambda one: (math.isnan(one), one)) if rising else values)))  # fmt: skip
        mine[("requests", one.key)] = one
        if before is not None:
            last[("requests", one.key)] = Sample(995.0, before)
    quick, slow = Lives(own=list(own)), Lives(own=list(own))
    lives.live(quick, mine, last, fits, 2.0)
    every(slow, mine, last)
    assert quick == slow


def every(found: Lives, mine: dict[Use, Series], last: dict[Use, Sample]) -> None:
    """The reference: each scrape is looked at, whether a counter fell or not."""
    found.trim()
    read = lives._read(mine, copy.deepcopy(last))
    for at in read.times:
        lives._scrape(found, read, at, fits, 2.0)
        read.last |= {use: Sample(at, count) for use, count in read.scrapes[at].items()}
