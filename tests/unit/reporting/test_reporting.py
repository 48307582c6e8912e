"""A report has what was declared, what was seen and decided, and its record's hash; HTML that loads nothing."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from glidepath.cli.main import main
from glidepath.policy.load import parse_policy
from glidepath.record import Record
from glidepath.reporting import document, html, markdown
from glidepath.reporting.form import Document, Section
from tests.support.releases import DAG
from tests.support.stage import POLICY

NOW = 1_800_009_000.0
ORDER = ["Release", "Hypotheses", "Decision rule", "Exposure", "Evidence: errors", "Evidence: latency_p95", "Decision",
         "What other policies would have decided", "Record"]  # fmt: skip


def of(name: str) -> str:
    """The identity of a release."""
    return f"{DAG}/manual__{name}+00:00"


def made(url: str, name: str) -> Document:
    """A report."""
    return document(Record(url), of(name), NOW)


def section(one: Document, title: str) -> Section:
    """A part of it."""
    return next(part for part in one.sections if part.title == title)


@pytest.mark.parametrize(
    ("name", "state"), [("promoted", "PROMOTED"), ("taken-back", "ROLLED BACK"), ("waiting", "WAITING FOR YOU")]
)
def test_it_has_all_parts_in_order(played_url: str, name: str, state: str) -> None:
    one = made(played_url, name)
    assert [part.title for part in one.sections] == ORDER
    assert one.state == state


def test_hypotheses_are_the_plans_margins_and_the_rule_its_rates(played_url: str) -> None:
    one = made(played_url, "promoted")
    [table] = section(one, "Hypotheses").tables
    assert list(table.rows[0]) == [
        "errors (critical)", "harm", "v2 - v1 is at most +0.05 points", "v2 - v1 is more than +0.05 points", "taken back"
    ]  # fmt: skip
    assert list(table.rows[1])[2:] == [
        "v2 - v1 is at least +0.20 points",
        "v2 - v1 is less than +0.20 points",
        "may be promoted",
    ]
    rule = " ".join(section(one, "Decision rule").text)
    assert "reaches 202 (2 / 0.01," in rule
    assert "at least 20 (1 / 0.05)" in rule
    assert "is at most 1 %" in rule
    assert "is at most 5 %" in rule


def test_evidence_is_told_as_it_stood_when_it_was_decided(played_url: str) -> None:
    from glidepath.judge import Look
    from glidepath.status import status
    from glidepath.text.lines import metric_line

    record = Record(played_url)
    for name in ("taken-back", "promoted"):
        looks = {seq: Look.from_dict(look) for seq, _, look in record.looks(of(name))}
        decided = status(record, of(name), NOW).look
        assert decided is not None
        assert decided.decided
        later = len([seq for seq in looks if seq > decided.seq])
        told = section(made(played_url, name), "Evidence: errors").text
        assert told[0] == metric_line(next(one for one in looks[decided.seq].metrics if one.name == "errors"))
        assert [text.split(",")[0] for text in told[1:]] == (
            [f"That is when it was decided. {later} further looks"] if later else []
        )
    assert section(made(played_url, "undecided"), "Evidence: errors").text[1:] == []


def test_a_fair_judge_gives_what_was_recorded_and_another_policy_its_own_answer(played_url: str) -> None:
    lax = POLICY + "metrics: [{kind: errors, harm_margin: 0.9, safety_margin: 0.9}]\n"
    policies = {"lax.yaml": parse_policy(lax, "lax.yaml", Path("/checkout"))}
    one = document(Record(played_url), of("taken-back"), NOW, policies)
    [table] = section(one, "What other policies would have decided").tables
    told = {row[0]: row[1] for row in table.rows}
    assert told["recorded"] == told["its own plan, judged again"] == "rollback"
    assert told["lax.yaml"] == "undecided"


def test_the_hash_is_that_of_the_exported_file(played_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", of("promoted"), "--record", played_url]) == 0
    exported = capsys.readouterr().out
    assert made(played_url, "promoted").sha256 == hashlib.sha256(exported.encode()).hexdigest()


class Tags(HTMLParser):
    """What a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload", "style"}
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_is_whole_and_loads_nothing(played_url: str) -> None:
    text = html(made(played_url, "promoted"))
    page = Tags()
    page.feed(text)
    assert page.open == []
    assert page.found.count("svg") == 5
    assert not {"script", "link", "img", "iframe"} & set(page.found)
    assert "url(" not in text
    assert len(text) < 200_000


def test_what_people_said_is_text_and_no_markup(played_url: str) -> None:
    from dataclasses import replace

    one = replace(made(played_url, "promoted"), sentence="<script>alert(1)</script> | *x*")
    assert "<script>" not in html(one)
    assert "<script>" not in markdown(one)


def test_drawings_have_only_finite_numbers_and_a_name(played_url: str) -> None:
    for name in ("promoted", "taken-back", "blind", "observed"):
        for part in made(played_url, name).sections:
            for chart in part.charts:
                assert f'aria-label="{chart.title}"' in chart.svg
                for points in re.findall(r'points="([^"]*)"', chart.svg):
                    values = [float(one) for pair in points.split() for one in pair.split(",")]
                    assert all(-1 <= one <= 721 for one in values)


def test_it_is_written_as_the_file_is_called(
    played_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert main(["report", of("waiting"), "--record", played_url, "--file", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert main(["report", of("waiting"), "--record", played_url]) == 0
    assert capsys.readouterr().out.startswith("# prices: v1 -> v2\n\n**WAITING FOR YOU**: ")
    assert main(["report", of("waiting"), "--record", played_url, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "WAITING FOR YOU"
    assert main(["report", "nobody/knows", "--record", played_url]) == 1
