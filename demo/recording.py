"""A recording of the demo for the README: what it said, as an SVG that plays by itself.

`make recording` makes it anew. The times are those that each line has; waits are shortened.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

# Lines that are seen at once, and characters of one.
ROWS, COLUMNS = 26, 150
# So many times as fast as it was, and the longest wait that is left, seconds.
FASTER, LONGEST = 12.0, 1.6
# At the end it stands still for so long, seconds.
STANDS = 12.0
LINE, CHARACTER = 18, 7.6
# A row of the table at the end.
ROW = r"v\d+ +\w+ +(PASS|FAIL)"
COLOURS = {"PASS": "#7ee787", "promoted": "#7ee787", "FAIL": "#ff7b72", "rolled_back": "#ff7b72"}


@dataclass(frozen=True)
class Line:
    """A line of the demo, and when the recording shows it, seconds."""

    text: str
    at: float


def lines(log: Sequence[str]) -> list[Line]:
    """The lines of the demo itself, from the first release on, with their times in the recording.

    Raises:
        ValueError: The demo did not come to its table.
    """
    shown: list[Line] = []
    before: float | None = None
    now = 0.5
    for text in log:
        stamped = re.match(r"\[demo +(\d+) s\] (.*)", text)
        if before is None and not (stamped and stamped[2].startswith("release ")):
            continue
        if stamped:
            now += min((float(stamped[1]) - (before or float(stamped[1]))) / FASTER, LONGEST)
            before = float(stamped[1])
        shown.append(Line(text.rstrip(), now))
    rows = [number for number, line in enumerate(shown) if re.match(ROW, line.text)]
    if not rows:
        raise ValueError("the log has no table of releases; expected all that `make demo` says")
    return shown[: rows[-1] + 1]


def drawn(shown: Sequence[Line]) -> str:
    """The recording: each line comes at its time, and the older ones move up."""
    lasts = shown[-1].at + STANDS
    width, height = round(COLUMNS * CHARACTER) + 32, ROWS * LINE + 28
    rows = "\n".join(
        f'<text y="{(number + 1) * LINE}" style="animation-delay:{line.at:.2f}s" fill="{_colour(line.text)}">{escape(line.text[:COLUMNS])}</text>'
        for number, line in enumerate(shown)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(_told(shown), quote=True)}">
<style>
text {{ font: 12.6px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; opacity: 0; animation: come 0.01s forwards }}
@keyframes come {{ to {{ opacity: 1 }} }}
#all {{ animation: up {lasts:.2f}s step-end forwards }}
@keyframes up {{
{"".join(_moves(shown, lasts))}}}
@media (prefers-reduced-motion: reduce) {{ text {{ animation-delay: 0s !important }} #all {{ animation-duration: 0.01s }} }}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>
<svg x="16" y="10" width="{width - 32}" height="{height - 20}"><g id="all">
{rows}
</g></svg>
</svg>
"""


def _moves(shown: Sequence[Line], lasts: float) -> Iterator[str]:
    """How far the lines have moved up, by time: as far as the newest needs."""
    for number, line in enumerate(shown):
        if number >= ROWS:
            yield f"{100 * line.at / lasts:.3f}% {{ transform: translateY({(ROWS - 1 - number) * LINE}px) }}\n"
    yield f"100% {{ transform: translateY({min(0, ROWS - len(shown)) * LINE}px) }}\n"


def _colour(text: str) -> str:
    """Green for what is proven comparable, red for what is proven harmful, grey for the way there."""
    if text.startswith("[demo"):
        body = text.partition("] ")[2]
        if body.startswith("release ") and "expected" in body:
            return "#79c0ff"
        text = body if body.startswith("release ") or "FAIL" in body or "PASS" in body else ""
    return next((colour for word, colour in COLOURS.items() if word in text), "#c9d1d9")


def _told(shown: Sequence[Line]) -> str:
    """What it shows, for who does not see it: the table's rows."""
    table = [line.text for line in shown if re.match(ROW, line.text)]
    return "make demo: " + "; ".join(" ".join(row.split()[:4]) for row in table)


def main() -> int:
    """Write the SVG."""
    parser = argparse.ArgumentParser(prog="python -m demo.recording", description=__doc__.partition("\n")[0])
    parser.add_argument("log", type=Path, help="what `make demo` said")
    parser.add_argument("svg", type=Path, help="what is written")
    asked = parser.parse_args()
    asked.svg.write_text(drawn(lines(asked.log.read_text().splitlines())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
