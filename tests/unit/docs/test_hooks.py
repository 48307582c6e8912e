"""The site's pages: references have all that code has, and links lead to pages of the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import hooks
from glidepath.cli.main import commands
from glidepath.policy import Policy
from glidepath.policy.spec import RunParams
from glidepath.release.events import KINDS
from glidepath.view.app import app
from glidepath.watchdog.families import EVERY, OWN, RELEASE
from tests.support.watched import exposed


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return hooks.generated()


def test_every_key_of_a_policy_is_there_with_what_it_takes(pages: dict[str, str]) -> None:
    policy = pages["reference/policy.md"]
    for name in Policy.model_fields:
        assert f"| `{name}` |" in policy
    assert "| `steps[].weight` | a whole number | required |" in policy
    assert "| `lease` | a number or a duration | `50.0` |" in policy
    assert "| `approval.unanswered` | `rollback`, `approve` | `rollback` |" in policy
    assert "release_&lt;name&gt;" in policy


def test_every_command_parameter_route_and_kind_is_there(pages: dict[str, str]) -> None:
    for name in commands.commands:
        assert f"## `{name}`" in pages["reference/commands.md"]
    for name in RunParams.model_fields:
        assert f"| `{name}` |" in pages["reference/parameters.md"]
    for path in app.openapi()["paths"]:
        assert path in pages["reference/api.md"]
    for kind in KINDS:
        assert f"## `{kind.kind}`" in pages["reference/events.md"]


def test_every_metric_that_is_told_is_there_as_it_is_told(
    pages: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    told = exposed(tmp_path)
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", told, re.MULTILINE))
    texts = dict(re.findall(r"^# HELP (\w+) (.*)$", told, re.MULTILINE))
    rows = [row.strip("| ").split(" | ") for row in pages["reference/metrics.md"].splitlines() if "`glidepath_" in row]
    assert {name.strip("`"): (kind, text) for name, kind, _, _, text in rows} == {
        name: (kind, texts[name]) for name, kind in kinds.items()
    }
    assert all(unit for _, _, _, unit, _ in rows)
    said = {name.strip("`"): re.findall(r"`(\w+)`", labels) for name, _, labels, _, _ in rows}
    seen = dict(re.findall(r"^(glidepath_\w+)(?:\{(.*)\})? \S+$", told, re.MULTILINE))
    assert len(seen) > 20, "a release that is under way tells nearly all"
    for name, pairs in seen.items():
        assert re.findall(r'(\w+)="', pairs) == said[name], name


def test_the_page_of_metrics_names_all_of_them() -> None:
    page = (hooks.DOCS / "metrics.md").read_text()
    for one in EVERY:
        prefix = OWN if one.name.startswith(OWN) else RELEASE
        assert f"`{one.name.removeprefix(prefix + '_')}`" in page, one.name


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("[policy](docs/write-a-policy.md#metrics)", "index.md", "[policy](write-a-policy.md#metrics)"),
        ("[home](../README.md)", "operate.md", "[home](index.md)"),
        ("[why](docs/adr)", "index.md", "[why](adr/index.md)"),
        ("[null](../mathematics.md)", "adr/0013-evidence-is-valid-at-any-time.md", "[null](../mathematics.md)"),
        ("[values](../include/helm-chart/values.yaml)", "operate.md", "values (`include/helm-chart/values.yaml`)"),
        ("[elsewhere](https://example.com/a)", "operate.md", "[elsewhere](https://example.com/a)"),
        ("![graph](images/airflow-graph.png)", "operate.md", "![graph](images/airflow-graph.png)"),
        ("![graph](docs/images/airflow-graph.png)", "index.md", "![graph](images/airflow-graph.png)"),
    ],
)
def test_a_link_leads_to_a_page_of_the_site_or_says_where_the_file_is(text: str, place: str, expected: str) -> None:
    assert hooks.linked(text, place) == expected


def test_every_page_of_this_folder_is_in_the_navigation() -> None:
    listed = set(re.findall(r"([\w/-]+\.md)$", (hooks.ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    written = {path.name for path in hooks.DOCS.glob("*.md")}
    assert listed == written | set(hooks.generated())
