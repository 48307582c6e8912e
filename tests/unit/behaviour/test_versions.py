"""Glidepath's own version is git's tag. Where it has to be written out, one number is written everywhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHARTS = "include/helm-chart", "include/helm-chart/charts/glidepath", "include/charts/routes"
# An image of ours, as documents and values name it; those of the sandbox and of tests have no number.
IMAGE = re.compile(r"glidepath-(?:watchdog|airflow):(\d+[\w.-]*)")
TAG = re.compile(r"^defaultAirflowTag: (\S+)$", re.MULTILINE)
TOLD = "docs/*.md", "include/**/*.md", "include/**/*.yaml", "README.md"


def number() -> str:
    """What a build without git is called: the version that the next tag will have, or that this commit has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return str(project["tool"]["hatch"]["version"]["fallback-version"])


def written() -> Iterator[tuple[str, str]]:
    """Where a version is written out, and which."""
    for chart in CHARTS:
        described = yaml.safe_load((ROOT / chart / "Chart.yaml").read_text())
        yield f"{chart}: version", str(described["version"])
        if chart.endswith("/glidepath"):  # its watchdog is of this code
            yield f"{chart}: appVersion", str(described["appVersion"])
        for one in described.get("dependencies", ()):
            yield f"{chart}: {one['name']}", str(one["version"])
    for path in sorted({path for pattern in TOLD for path in ROOT.glob(pattern)}):
        text = path.read_text()
        for found in (*IMAGE.finditer(text), *TAG.finditer(text)):
            yield f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}", found[1]


@pytest.mark.parametrize(("where", "version"), list(written()), ids=lambda one: str(one))
def test_all_say_the_same(where: str, version: str) -> None:
    assert version == number(), f"{where}: expected pyproject.toml's fallback-version"


def test_a_tag_is_on_what_says_so() -> None:
    """`git tag v0.2.0` before the number was changed everywhere would be found on the commit that has the tag."""
    tags = subprocess.run(
        ["git", "-C", ROOT, "tag", "--points-at", "HEAD"], capture_output=True, text=True, timeout=10, check=False
    )
    assert {tag.removeprefix("v") for tag in tags.stdout.split() if re.match(r"v?\d", tag)} <= {number()}


def test_documents_and_charts_are_found() -> None:
    places = [where for where, _ in written()]
    for expected in (*CHARTS, "docs/own-cluster.md", "docs/scale-out.md", "include/airflow/values.yaml"):
        assert any(place.startswith(expected) for place in places), expected
