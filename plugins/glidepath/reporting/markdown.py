"""A report as Markdown: drawings are told by some of their points."""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.reporting.form import Document, Section, Table


def markdown(document: Document) -> str:
    """The report."""
    return "\n".join(
        [
            f"# {_plain(document.title)}",
            "",
            f"**{document.state}**: {_plain(document.sentence)}",
            "",
            *_sections(document),
        ]
    )


def _sections(document: Document) -> Iterator[str]:
    for section in document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"## {_plain(section.title)}"
    yield ""
    for text in section.text:
        yield _plain(text)
        yield ""
    for table in (*section.tables, *(chart.table for chart in section.charts)):
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    if any("\n" in cell for row in table.rows for cell in row):  # a whole text
        for row in table.rows:
            yield from (f"{table.head[0]}:", "", *(f"    {line}" for cell in row for line in cell.splitlines()), "")
        return
    yield f"| {' | '.join(table.head)} |"
    yield f"| {' | '.join('---' for _ in table.head)} |"
    for row in table.rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _plain(text: str) -> str:
    """A text in one line that Markdown shows as it is, but for what is between back-ticks."""
    return " ".join(text.replace("<", "&lt;").replace("*", "\\*").split())


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
