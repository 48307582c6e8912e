"""A report as one HTML file: nothing is loaded from elsewhere, no script; light, dark and paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from glidepath.reporting.form import Chart, Document, Section, Table

STYLE = (Path(__file__).parent / "report.css").read_text()


def html(document: Document) -> str:
    """The report."""
    parts = "".join(part for section in document.sections for part in _section(section))
    title = escape(f"{document.state}: {document.title}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>"
        f'<header class="{document.tone}"><p class="state">{escape(document.state)}</p><h1>{escape(document.title)}</h1>'
        f"<p>{escape(document.sentence)}</p></header>{parts}</main></body></html>\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<section><h2>{escape(section.title)}</h2>"
    for text in section.text:
        yield f"<p>{_code(escape(text))}</p>"
    for table in section.tables:
        yield _table(table, section.title)
    for chart in section.charts:
        yield _chart(chart)
    yield "</section>"


def _chart(chart: Chart) -> str:
    caption = f"<figcaption><b>{escape(chart.title)}</b> {escape(chart.legend)}</figcaption>"
    return f'<figure tabindex="0">{caption}{chart.svg}</figure>'


def _table(table: Table, title: str) -> str:
    if any("\n" in cell for row in table.rows for cell in row):
        texts = "".join(f"<pre>{escape(cell)}</pre>" for row in table.rows for cell in row)
        return f"<details><summary>{escape(table.head[0])}</summary>{texts}</details>"
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    # A table can be wider than a narrow window: it scrolls by itself, by the keyboard, too.
    shown = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    label = escape(f"{title}: {table.head[0]}" if table.head[0] else title)
    return f'<div class="wide" tabindex="0" role="group" aria-label="{label}"><table>{shown}<tbody>{rows}</tbody></table></div>'


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
