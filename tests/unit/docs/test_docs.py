"""What the documents claim of the code is so: links, files, commands, names, a policy's keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.table import COLUMNS
from glidepath.fence import Fence
from glidepath.policy import policy_json_schema
from glidepath.policy.load import parse_policy
from glidepath.release.events import KINDS
from glidepath.traffic import Traffic
from tests.unit.docs import claims
from tests.unit.docs.claims import ROOT, text

DOCS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "include/**/*.md", "sandbox/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)
# A fault's row names the writes and files of its time.
WRITTEN_BY_MACHINE = {"faults.md"}
Check = Callable[[Path], Iterator[str]]


@pytest.mark.parametrize("check", claims.KINDS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_claims_of_the_code_is_so(path: Path, check: Check) -> None:
    if path.name not in WRITTEN_BY_MACHINE:
        assert list(check(path)) == []


TRUE = """# A page

[The page](page.md#a-page), [the other](https://example.org/x#y), `docs/extend.md`, `release/run.py`, `test_docs.py`,
`make check`, `Run.step`, `GLIDEPATH_RECORD_URL`.

    bin/glidepath validate
    python -m bench.judges
"""
FALSE: dict[str, tuple[Check, str]] = {
    "[a file](gone.md)": (claims.links, "gone.md: there is no gone.md"),
    "[a heading](#no-page)": (claims.links, "#no-page: no heading makes #no-page"),
    "`docs/gone.md`": (claims.files, "docs/gone.md is not there"),
    "`release/gone.py`": (claims.files, "release/gone.py is neither in plugins/glidepath nor in tests/unit"),
    "`status/gone.py`": (claims.files, "status/gone.py is neither in plugins/glidepath nor in tests/unit"),
    "`test_gone.py`": (claims.files, "no tests/**/test_gone.py"),
    "`make check gone`": (claims.makes, "make gone: there is no such target"),
    "`bin/glidepath gone`": (claims.commands, "bin/glidepath gone: there is no such command"),
    "`python -m bench.gone.away`": (claims.commands, "python -m bench.gone.away: there is no such module"),
    "`Run.gone`": (claims.members, "Run.gone: Run has no gone"),
    "`Gone.step`": (claims.members, "Gone.step: there is no class Gone"),
    "GLIDEPATH_" + "GONE": (claims.variables, "GLIDEPATH_" + "GONE: nothing reads it"),
}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A document that claims what is so."""
    made = tmp_path / "page.md"
    made.write_text(TRUE)
    return made


def test_true_claims_pass(page: Path) -> None:
    assert [claim for check in claims.KINDS for claim in check(page)] == []


@pytest.mark.parametrize("claim", FALSE)
def test_a_false_claim_is_found(page: Path, claim: str) -> None:
    check, told = FALSE[claim]
    page.write_text(f"{TRUE}\n{claim}\n")
    claims.anchors.cache_clear()
    assert list(check(page)) == [told]


def policies(path: Path) -> Iterator[str]:
    """Whole policies in a document's blocks of code."""
    for block in re.findall(r"(?:^ {4}.*\n|^\n)+", text(path), re.MULTILINE):
        plain = re.sub(r"^ {4}", "", block, flags=re.MULTILINE)
        if re.search(r"^service:", plain, re.MULTILINE) and re.search(r"^steps:", plain, re.MULTILINE):
            yield plain


def test_every_policy_that_is_shown_can_be_read(tmp_path: Path) -> None:
    shown = [(path, policy) for path in DOCS for policy in policies(path)]
    assert shown
    for path, policy in shown:
        assert parse_policy(policy, path.name, tmp_path).steps


def keys(schema: dict[str, Any], node: dict[str, Any], place: str = "") -> Iterator[str]:
    """The names of a schema's settings, as the table in docs/write-a-policy.md writes them."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    for variant in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from keys(schema, variant, place)
    if node.get("type") == "array":
        yield from keys(schema, node["items"], f"{place}[]")
    for name, below in node.get("properties", {}).items():
        yield f"{place}.{name}".removeprefix(".")
        yield from keys(schema, below, f"{place}.{name}".removeprefix("."))


def test_the_tables_of_settings_are_the_policys() -> None:
    schema = policy_json_schema()
    there = set(keys(schema, schema))
    _, _, section = text(ROOT / "docs/write-a-policy.md").partition("\n## Every key\n")
    first, second = re.split(r"^\| key of a metric", section.partition("\n## ")[0], maxsplit=1, flags=re.MULTILINE)
    told = set(re.findall(r"^\| `([\w.\[\]]+)`", first, re.MULTILINE))
    told |= {f"metrics[].{name}" for name in re.findall(r"^\| (?:\w+: )?`(\w+)`", second, re.MULTILINE)}
    assert told <= there
    # A part may be told as a whole, with a link to where the rest stands, or by what it consists of.
    unsaid = {
        key
        for key in there - told
        if not any(
            key.startswith((f"{one}.", f"{one}[]")) or one.startswith((f"{key}.", f"{key}[]"))
            for one in told - {"metrics"}
        )
    }
    assert not unsaid


@pytest.mark.parametrize("port", [Traffic, Fence], ids=lambda one: one.__name__)
def test_the_methods_of_a_port_are_the_ones_that_extend_tells_of(port: type) -> None:
    table = text(ROOT / "docs/extend.md").split(f"| `{port.__name__}` | does |\n| --- | --- |\n")[1].split("\n\n")[0]
    named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {name for name in vars(port) if not name.startswith("_")}


def test_the_readme_has_the_table_that_the_demo_prints() -> None:
    assert f"| {' | '.join(COLUMNS)} |" in text(ROOT / "README.md")


def test_every_kind_of_event_is_told_of() -> None:
    table = text(ROOT / "docs/operate.md").split("Kinds of events")[1].split("\n    SELECT")[0]
    named = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == {one.kind for one in KINDS}


DECISIONS = sorted((ROOT / "docs/adr").iterdir())


def test_decisions_are_numbered_and_the_design_links_to_each() -> None:
    assert [path.name[:5] for path in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]
    design = text(ROOT / "docs/design.md")
    assert [path.name for path in DECISIONS if f"(adr/{path.name})" not in design] == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_its_context_and_its_price(path: Path) -> None:
    number = int(path.name[:4])
    assert re.match(rf"# {number}\. \S.*\n\nStatus: (accepted|superseded), \d{{4}}-\d\d-\d\d", text(path))
    parts = re.split(r"^## (.*)$", text(path), flags=re.MULTILINE)
    assert parts[1::2] == ["Context", "Decision", "Consequences"]
    assert all(part.strip() for part in parts[2::2])
    assert len(text(path).splitlines()) < 60


PICTURES = sorted(one for one in (ROOT / "docs/images").iterdir() if one.suffix in (".png", ".svg"))


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_shown_and_light(path: Path) -> None:
    assert path.stat().st_size < 200_000
    assert any(f"images/{path.name})" in text(page) for page in DOCS), "no document shows it"
