"""The forms that a report is written in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from glidepath.reporting.form import Document
from glidepath.reporting.html import html
from glidepath.reporting.markdown import markdown

FORMS: Mapping[str, Callable[[Document], str]] = {
    "markdown": markdown,
    "html": html,
    "json": lambda document: json.dumps(asdict(document), indent=1),
}
