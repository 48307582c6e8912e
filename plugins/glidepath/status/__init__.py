"""How releases stand, out of the record alone: what the page, its API and the command line show."""

from glidepath.status.form import Row, Status
from glidepath.status.reads import listed, mark, status

__all__ = ["Row", "Status", "listed", "mark", "status"]
