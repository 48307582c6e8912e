"""The recording of the demo: its lines at their times, waits shortened, the table last."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from demo.recording import LONGEST, ROWS, drawn, lines

LOG = """[sandbox     0 s] the cluster is up and healthy
[demo    22 s] traffic: 100 requests a second
[demo    83 s] release v2 (a better model); expected: promoted
[demo    95 s]   planning
[demo   700 s] release v2: promoted, the run is success: v2 was proven comparable to v1 & is stable

version  outcome      verdict  decided by   estimate
-------  -----------  -------  -----------  -------------
v2       promoted     PASS     errors       +0.18 points
v3       rolled_back  FAIL     errors       +4.14 points

It all goes on running; `make down` ends it."""


def test_it_begins_with_the_first_release_and_ends_with_the_table() -> None:
    shown = lines(LOG.splitlines())
    assert shown[0].text.startswith("[demo    83 s] release v2")
    assert shown[-1].text.startswith("v3 ")
    times = [line.at for line in shown]
    assert times == sorted(times)
    assert times[1] - times[0] == pytest.approx(1.0)
    assert times[2] - times[1] == LONGEST


def test_a_log_that_was_cut_off_is_none() -> None:
    with pytest.raises(ValueError, match="no table of releases"):
        lines(LOG.splitlines()[:4])


@pytest.mark.parametrize("more", [0, 60])
def test_what_is_drawn_is_whole_and_moves_up_as_far_as_the_last_line_needs(more: int) -> None:
    log = LOG.splitlines()
    log[4:4] = [f"[demo   {100 + number} s]   baking" for number in range(more)]
    shown = lines(log)
    svg = drawn(shown)
    texts = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [line.text or None for line in shown]
    moved = [int(pixels) for pixels in re.findall(r"translateY\((-?\d+)px\)", svg)]
    assert moved[-1] == -18 * max(0, len(shown) - ROWS)
    assert moved == sorted(moved, reverse=True)
    assert 'aria-label="make demo: v2 promoted PASS errors; v3 rolled_back FAIL errors"' in svg
