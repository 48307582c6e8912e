"""What a replay prints: the same numbers and limits as a release's log."""

from __future__ import annotations

from dataclasses import replace

from glidepath.replay import telling
from glidepath.text.lines import metric_line
from tests.unit.text.test_lines import ERRORS, LATENCY, look, metric


def test_its_legend_says_the_limits_of_each_side_as_the_log_does() -> None:
    spam = replace(ERRORS, name="spam", sides="both", limit=0.08, safe_limit=0.05, note="few")
    mean = metric("latency_mean", role="advisory", unit="mean", effect=1.2)
    _, *lines = telling.legend(look(LATENCY, spam, mean))
    assert lines == [
        "latency_p95: ratio of the quantiles; harm beyond x1.100; comparable below x1.100",
        "spam: percentage points; harm beyond ±8.00 points; comparable within ±5.00 points; few",
        "latency_mean: ratio of the means; told only",
    ]
    assert "harm beyond ±8.00 points" in metric_line(spam)


def test_a_look_is_a_line_with_each_metrics_interval_and_evidence() -> None:
    line = telling.look_line(3, look(ERRORS, LATENCY), 0.0)
    assert line.startswith("   3       0 s  20 % UNDECIDED evidence_growing canary 398 stable 1592 | ")
    assert "errors +0.00 [..., +4.74] harm 0.978/200 safe 1/20" in line
    assert "latency_p95 x1.339 [x1.100, x1.611] harm 929/200 safe 0.194/20" in line
