"""What a document claims of the code and is not so: each function gives the false claims of one kind."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from glidepath.handover.command import TOLD

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "plugins/glidepath"
TOPS = "bench|bin|dags|demo|docs|examples|findings|include|plugins|rig|sandbox|tests"
# Where the environment is read: a name that is nowhere else in the checkout is nobody's.
READERS = ("plugins", "dags", "sandbox", "rig", "demo", "bin", "include", "docker-compose.yaml", "Makefile", "tests")


def text(path: Path) -> str:
    """A document."""
    return path.read_text()


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


def links(path: Path) -> Iterator[str]:
    """Links to files and headings that are not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"\w+://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists():
            yield f"{target}: there is no {file}"
        elif anchor and found.suffix == ".md" and anchor not in anchors(found):
            yield f"{target}: no heading makes #{anchor}"


@cache
def rooms() -> str:
    """The folders of the package and of its tests, as a pattern."""
    folders = {path.name for path in (*PACKAGE.iterdir(), *(ROOT / "tests/unit").iterdir()) if path.is_dir()}
    return "|".join(sorted(name for name in folders if not name.startswith("_")))


def files(path: Path) -> Iterator[str]:
    """Files of the checkout, modules of the package and tests that are not there."""
    for name in re.findall(rf"`((?:{TOPS})/[\w./*\-]+)`", text(path)):
        if not list(ROOT.glob(name.rstrip("/"))):
            yield f"{name} is not there"
    for name in re.findall(rf"`((?:{rooms()})/[\w/]+\.py)`", text(path)):
        if not any((folder / name).exists() for folder in (PACKAGE, ROOT, ROOT / "tests/unit")):
            yield f"{name} is neither in plugins/glidepath nor in tests/unit"
    for name in re.findall(r"`((?:\w+/)?test_\w+\.py)`", text(path)):
        if not list(ROOT.glob(f"tests/**/{name}")):
            yield f"no tests/**/{name}"


@cache
def targets() -> frozenset[str]:
    """What `make` can make."""
    return frozenset(re.findall(r"^([a-z][\w-]*):", text(ROOT / "Makefile"), re.MULTILINE))


def code(path: Path) -> Iterator[str]:
    """Lines of code, and code within lines."""
    yield from re.findall(r"^ {4,}(.*)$", text(path), re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", text(path))
    for block in re.findall(r"^```\w*\n(.*?)^```", text(path), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def makes(path: Path) -> Iterator[str]:
    """Targets of `make` that are not there."""
    for line in code(path):
        for asked in re.findall(r"^make ((?:[a-z][\w-]*\s*)+)", line):
            yield from (f"make {name}: there is no such target" for name in asked.split() if name not in targets())


@cache
def subcommands() -> frozenset[str]:
    """What `bin/glidepath` can do."""
    told = subprocess.run([ROOT / "bin/glidepath", "--help"], capture_output=True, text=True, check=True, timeout=60)
    return frozenset(re.findall(r"^  ([a-z][\w-]*)  ", told.stdout, re.MULTILINE))


def commands(path: Path) -> Iterator[str]:
    """Commands and modules of ours that can't be run."""
    for line in code(path):
        for command in re.findall(r"^(?:\S+=\S+ )*bin/glidepath ([a-z][\w-]*)", line):
            if command not in subcommands():
                yield f"bin/glidepath {command}: there is no such command"
        for module in re.findall(rf"python3? -m ((?:{TOPS}|glidepath)[\w.]*)", line):
            if not _can_be_found(module):
                yield f"python -m {module}: there is no such module"


def _can_be_found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@cache
def classes() -> dict[str, frozenset[str]]:
    """The package's classes, and the names that each has: fields, methods, what it sets on itself, what its bases have."""
    own: defaultdict[str, set[str]] = defaultdict(set)
    bases: defaultdict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                own[node.name].update(_members(node))
                bases[node.name].update(base.id for base in node.bases if isinstance(base, ast.Name))
    return {name: frozenset(own[name]).union(*(own.get(base, ()) for base in bases[name])) for name in bases}


def _members(node: ast.ClassDef) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield part.name
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
            yield part.attr


def members(path: Path) -> Iterator[str]:
    """What classes are said to have and don't, such as `Claim.token`."""
    for name, member in re.findall(r"`([A-Z]\w+)\.([a-z_]\w*)`", text(path)):
        if name not in classes():
            yield f"{name}.{member}: there is no class {name}"
        elif member not in classes()[name]:
            yield f"{name}.{member}: {name} has no {member}"


@cache
def environment() -> frozenset[str]:
    """The names that the checkout reads from the environment, or gives to commands."""
    every = subprocess.run(
        ["git", "grep", "-ohIE", r"\bGLIDEPATH_[A-Z_]+", "--", *READERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    handed_over = {f"GLIDEPATH_{name.upper()}" for name in TOLD}
    return frozenset(every.stdout.split()) | handed_over


def variables(path: Path) -> Iterator[str]:
    """Variables of the environment that nothing reads."""
    for name in sorted(set(re.findall(r"\bGLIDEPATH_[A-Z_]+\b", text(path)))):
        if name not in environment():
            yield f"{name}: nothing reads it"


KINDS = (links, files, makes, commands, members, variables)
