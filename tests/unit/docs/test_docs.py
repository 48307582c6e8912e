"""What the documents claim of the code is so: links, files, commands, modules, a policy's keys."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from glidepath.fence import Fence
from glidepath.policy import policy_json_schema
from glidepath.policy.load import parse_policy
from glidepath.release.events import KINDS
from glidepath.traffic import Traffic

ROOT = Path(__file__).parents[3]
DOCS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "include/**/*.md", "sandbox/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)
TOPS = "bench|bin|dags|demo|docs|examples|findings|include|plugins|rig|sandbox|tests"
# A fault's row names the writes and files of its time.
WRITTEN_BY_MACHINE = {"faults.md"}
GENERATED = {"demo-result.json"}


def text(path: Path) -> str:
    """A document."""
    return path.read_text()


def of(name: str) -> list[pytest.param]:  # type: ignore[valid-type]
    """All documents that people write."""
    return [
        pytest.param(path, id=f"{name}: {path.relative_to(ROOT)}")
        for path in DOCS
        if path.name not in WRITTEN_BY_MACHINE
    ]


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def prose(path: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text(path), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(path: Path) -> frozenset[str]:
    """A document's headings."""
    return frozenset(slug(heading) for heading in re.findall(r"^#+ (.*)$", text(path), re.MULTILINE))


@pytest.mark.parametrize("path", of("links"))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"\w+://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{target}: there is no {file}"
        assert not anchor or found.suffix != ".md" or anchor in anchors(found), f"{target}: no heading makes #{anchor}"


@pytest.mark.parametrize("path", of("files"))
def test_every_file_that_is_named_is_there(path: Path) -> None:
    for name in re.findall(rf"`((?:{TOPS})/[\w./*\-]+)`", text(path)):
        assert list(ROOT.glob(name.rstrip("/"))), f"{name} is not there"
    for name in re.findall(
        r"`((?:release|traffic|judge|evidence|deploy|gate|policy|record|claim|replay|operators|triggers|hooks|watchdog)/\w+\.py)`",
        text(path),
    ):
        places = [ROOT / "plugins/glidepath" / name, ROOT / "tests/unit" / name]
        assert any(place.exists() for place in places), f"{name} is neither in plugins/glidepath nor in tests/unit"
    for name in re.findall(r"`((?:\w+/)?test_\w+\.py)`", text(path)):
        assert list(ROOT.glob(f"tests/**/{name}")), f"no tests/**/{name}"


@cache
def targets() -> frozenset[str]:
    """What `make` can make."""
    return frozenset(re.findall(r"^([a-z][\w-]*):", text(ROOT / "Makefile"), re.MULTILINE))


def commands(path: Path) -> Iterator[str]:
    """Lines of code, and code within lines."""
    yield from re.findall(r"^ {4,}(.*)$", text(path), re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", text(path))
    for block in re.findall(r"^```\w*\n(.*?)^```", text(path), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


@pytest.mark.parametrize("path", of("make"))
def test_every_make_command_has_a_target(path: Path) -> None:
    for line in commands(path):
        for asked in re.findall(r"^make ((?:[a-z][\w-]*\s*)+)", line):
            assert set(asked.split()) <= targets(), f"make {asked}: there is no such target"


@cache
def subcommands() -> frozenset[str]:
    """What `bin/glidepath` can do."""
    told = subprocess.run([ROOT / "bin/glidepath", "--help"], capture_output=True, text=True, check=True, timeout=60)
    return frozenset(re.findall(r"^  ([a-z][\w-]*)  ", told.stdout, re.MULTILINE))


@pytest.mark.parametrize("path", of("commands"))
def test_every_command_of_ours_is_there(path: Path) -> None:
    for line in commands(path):
        for command in re.findall(r"^(?:\S+=\S+ )*bin/glidepath ([a-z][\w-]*)", line):
            assert command in subcommands(), f"bin/glidepath {command}"
        for module in re.findall(rf"python3? -m ((?:{TOPS}|glidepath)[\w.]*)", line):
            assert importlib.util.find_spec(module) is not None, f"python -m {module}"


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
