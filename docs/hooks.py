"""What `make docs` makes of this folder: pages generated from code beside those written by hand, and links that hold there.

MkDocs calls the functions whose names begin with `on_`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
# Characters of a line of help that a page has room for.
WIDTH = 84
# Pages of the checkout that stand outside of this folder.
OUTSIDE = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not written here."""
    from mkdocs.structure.files import File

    for name, text in generated().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """A page's text with links that lead to pages of the site, or to none where they led into the checkout."""
    return linked(markdown, page.file.src_path)


def generated() -> dict[str, str]:
    """The pages that are not written in this folder, by their path in the site."""
    return {name: (ROOT / path).read_text() for name, path in OUTSIDE.items()} | {
        "adr/index.md": decisions(),
        "reference/policy.md": policy(),
        "reference/commands.md": commands(),
        "reference/parameters.md": parameters(),
        "reference/api.md": api(),
        "reference/events.md": events(),
        "reference/metrics.md": metrics(),
    }


def linked(markdown: str, place: str) -> str:
    """A page's text, its links changed to where things are in the site.

    Args:
        markdown: The text.
        place: The page's path in the site.
    """
    home = (ROOT / OUTSIDE[place]).parent if place in OUTSIDE else (DOCS / place).parent

    def changed(match: re.Match[str]) -> str:
        text, target, anchor = match["text"], match["target"], match["anchor"] or ""
        there = (home / target).resolve()
        page = _in_site(there)
        if page is None:
            return f"{text} (`{there.relative_to(ROOT)}`)" if text.strip("`") != str(there.relative_to(ROOT)) else text
        return f"{match['image']}[{text}]({'../' * place.count('/')}{page}{anchor})"

    return re.sub(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)]*)?\)", changed, markdown)


def _in_site(there: Path) -> str | None:
    """The page of the site that a file of the checkout is; None for one that is none."""
    for name, path in OUTSIDE.items():
        if there == ROOT / path:
            return name
    if there == DOCS / "adr":
        return "adr/index.md"
    return (
        str(there.relative_to(DOCS)) if there.is_relative_to(DOCS) and there.suffix in (".md", ".png", ".svg") else None
    )


def decisions() -> str:
    """The list of what was decided, out of each page's first line."""
    rows = [
        f"- [{path.read_text().splitlines()[0].lstrip('# ')}]({path.name})" for path in sorted(DOCS.glob("adr/*.md"))
    ]
    return "# What was decided, and its price\n\n" + "\n".join(rows) + "\n"


def policy() -> str:
    """Every key of a policy, out of its JSON Schema."""
    from glidepath.policy import policy_json_schema

    schema = policy_json_schema()
    rows = "\n".join(
        f"| `{key}` | {kind} | {default} | {told} |" for key, kind, default, told in keys(schema, schema["$defs"])
    )
    return (
        "# Every key of a policy\n\n[Write a policy](../write-a-policy.md) says which matter when. A duration is `90s`, `2m`, `1h30m` or seconds.\n\n"
        f"| key | takes | left out | |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def keys(schema: Mapping[str, Any], defs: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str, str, str]]:
    """The keys of an object's schema and of those in it: path, what it takes, its default, what it is."""
    required = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        forms = list(_forms(value, defs))
        default = "required" if name in required else f"`{_plain(value['default'])}`" if "default" in value else ""
        yield (
            f"{before}{name}",
            _cell(" or ".join(dict.fromkeys(map(_takes, forms)))),
            _cell(default),
            _cell(value.get("description", "")),
        )
        for form in forms:
            inner, many = (form["items"], "[]") if form.get("type") == "array" else (form, "")
            for one in _forms(inner, defs):
                yield from keys(one, defs, f"{before}{name}{many}.")


def _forms(value: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a value may be, one schema each."""
    if "$ref" in value:
        yield from _forms(defs[value["$ref"].rsplit("/", 1)[1]], defs)
    elif several := value.get("anyOf") or value.get("oneOf"):
        for one in several:
            yield from _forms(one, defs)
    else:
        yield value


def _takes(form: Mapping[str, Any]) -> str:
    if "const" in form:
        return f"`{_plain(form['const'])}`"
    if "enum" in form:
        return ", ".join(f"`{_plain(one)}`" for one in form["enum"])
    if str(form.get("pattern", "")).endswith("(ms|s|m|h))+$"):
        return "a duration"
    names = {
        "boolean": "`true` or `false`",
        "object": "a mapping",
        "array": "a list",
        "integer": "a whole number",
        "number": "a number",
        "string": "a text",
    }
    return names.get(str(form.get("type")), str(form.get("type", "anything")))


def _plain(value: object) -> str:
    """A value as YAML has it."""
    return json.dumps(value) if not isinstance(value, str) else value


def _cell(text: str) -> str:
    """A text in a table's cell."""
    escaped = html.escape(text, quote=False) if "`" not in text else text
    return re.sub(r"\s+", " ", escaped).replace("|", "\\|").strip()


def commands() -> str:
    """Every command, as `--help` has it."""
    from glidepath.cli.main import commands as top

    text = [
        "# Every command",
        "",
        "`glidepath --help` has the same. Exit codes: [Release a service](../release-a-service.md).",
    ]
    for name, command in sorted(top.commands.items()):
        text += ["", f"## `{name}`", "", "    " + "\n    ".join(_help(name, command))]
    return "\n".join(text) + "\n"


def _help(name: str, command: click.Command) -> Sequence[str]:
    import click

    with click.Context(
        command, info_name=f"glidepath {name}", max_content_width=WIDTH, terminal_width=WIDTH
    ) as context:
        return command.get_help(context).splitlines()


def parameters() -> str:
    """What a run may say: the trigger form's fields."""
    from glidepath.policy.spec import RunParams

    rows = "\n".join(
        f"| `{key}` | {kind} |"
        for key, kind, _, _ in keys(RunParams.model_json_schema(), RunParams.model_json_schema().get("$defs", {}))
    )
    return f"# Parameters of a run\n\nIn the form, in `conf` of Airflow's REST API, and as options of `glidepath release`. None: as the policy has it.\n\n| parameter | takes |\n| --- | --- |\n{rows}\n"


def api() -> str:
    """The API of releases, out of its OpenAPI description."""
    from glidepath.view.app import app

    text = [
        "# The API of releases",
        "",
        "Below `/glidepath` of Airflow's API server, with its tokens and permissions; `/glidepath/openapi.json` has the forms.",
    ]
    for path, methods in app.openapi()["paths"].items():
        for method, route in methods.items():
            text += ["", f"## `{method.upper()} {path}`", "", route.get("description", "")]
    return "\n".join(text) + "\n"


def events() -> str:
    """The kinds of entries in a release's journal, out of their classes."""
    from glidepath.release.events import KINDS

    text = [
        "# Entries of a release's journal",
        "",
        "What the record has of a release; [Operate](../operate.md#the-record) says where it is.",
    ]
    for kind in KINDS:
        text += ["", f"## `{kind.kind}`", "", *_docstring(kind.__doc__ or "")]
    return "\n".join(text) + "\n"


def metrics() -> str:
    """Every metric of Glidepath's own, as the watchdog has it."""
    from glidepath.watchdog.families import EVERY

    rows = "\n".join(
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{name}`' for name in one.labels)} | {one.unit} | {_cell(one.text)} |"
        for one in EVERY
    )
    return (
        "# Every metric\n\nWhat a watchdog tells at `/metrics`. [Metrics, dashboards, alerts](../metrics.md) says what shows and uses them.\n\n"
        f"| metric | type | labels | unit | |\n| --- | --- | --- | --- | --- |\n{rows}\n"
    )


def _docstring(text: str) -> Iterator[str]:
    """A docstring as Markdown: its attributes as a list."""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped == "Attributes:":
            continue
        if match := re.match(r"^ {8}(\w+(?:, \w+)*): (.*)$", line):
            yield f"- `{match[1]}`: {match[2]}"
        else:
            yield f"  {stripped}" if line.startswith(" " * 12) else stripped
