"""A report of a release: what was declared beforehand, what was seen, what was decided. One document, as HTML or Markdown."""

from glidepath.reporting.content import document
from glidepath.reporting.forms import FORMS
from glidepath.reporting.html import html
from glidepath.reporting.markdown import markdown

__all__ = ["FORMS", "document", "html", "markdown"]
