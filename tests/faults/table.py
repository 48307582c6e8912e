"""docs/faults.md out of the results: faults x phases with outcomes and times."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from rig.environment import REPO
from tests.faults.catalogue import Fault, catalogue
from tests.faults.scene import ALL

RESULTS = REPO / "docs" / "faults.jsonl"
PAGE = REPO / "docs" / "faults.md"
SHORT = {"promoted": "on", "rolled_back": "back", "refused": "refused", "not planned": "not begun", "error": "?"}
Rows = dict[tuple[str, str], list[dict[str, Any]]]


def read(file: Path = RESULTS) -> list[dict[str, Any]]:
    """Every result, oldest first."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def by_case(results: Iterable[dict[str, Any]]) -> Rows:
    """The results of each (fault, phase)."""
    found: Rows = defaultdict(list)
    for one in results:
        found[one["fault"], one["phase"]].append(one)
    return found


def cell(results: list[dict[str, Any]]) -> str:
    """One cell: how releases ended, seconds to safe and to the end (medians), and how often something did not hold."""
    if not results:
        return "·"
    ends = sorted({SHORT.get(one["outcome"], one["outcome"]) for one in results})
    safe = [one["to_safe_s"] for one in results if one["to_safe_s"] is not None]
    end = [one["to_end_s"] for one in results if one["to_end_s"] is not None]
    times = " / ".join(f"{median(some):.0f}" if some else "-" for some in (safe, end))
    bad = sum(bool(one["broken"]) for one in results)
    many = f" ×{len(results)}" if len(results) > 1 else ""
    return f"{'/'.join(ends)} {times}{many}" + (f" **{bad} broken**" if bad else "")


def lines(results: list[dict[str, Any]]) -> Iterable[str]:
    """The tables, a group each."""
    rows, groups = by_case(results), defaultdict[str, list[Fault]](list)
    for fault in catalogue().values():
        groups[fault.group].append(fault)
    for group, faults in groups.items():
        phases = [phase for phase in ALL if any(phase in fault.phases for fault in faults)]
        yield f"### {group}"
        yield ""
        yield f"| fault | {' | '.join(phases)} |"
        yield f"| --- |{' --- |' * len(phases)}"
        for fault in faults:
            cells = [cell(rows[fault.name, one]) if one in fault.phases else "" for one in phases]
            yield f"| `{fault.name}` | {' | '.join(cells)} |"
        yield ""
        for fault in faults:
            yield f"- `{fault.name}`: {fault.what}"
        yield ""


def summary(results: list[dict[str, Any]]) -> str:
    """How much was played, in one sentence."""
    cases = {(fault.name, phase) for fault in catalogue().values() for phase in fault.phases}
    rows = by_case(results)
    played = [one for one in cases if rows[one]]
    bad = sum(bool(one["broken"]) for one in results)
    return (
        f"{len(results)} faults were made, in {len(played)} of the {len(cases)} combinations of fault and phase; in {bad} "
        "of them something did not hold"
    )


def since(bad: dict[str, Any], results: list[dict[str, Any]]) -> str:
    """How the same case ended after one in which something did not hold."""
    same = [one for one in by_case(results)[bad["fault"], bad["phase"]] if one["at"] > bad["at"]]
    held = [one["commit"] for one in same if not one["broken"]]
    return f"held {len(held)} of {len(same)} times, last at {held[-1]}" if held else "not played"


def page(results: list[dict[str, Any]]) -> str:
    """The whole page."""
    head = (Path(__file__).parent / "page.md").read_text().replace("SUMMARY", summary(results))
    bad = [one for one in results if one["broken"]]
    told = [
        f"| `{one['fault']}` | {one['phase']} | {one['commit']} | {'; '.join(one['broken'])[:300]} | {since(one, results)} |"
        for one in bad
    ]
    table = (
        ["| fault | phase | commit | what | since |", "| --- | --- | --- | --- | --- |", *told] if bad else ["Nothing."]
    )
    return head + "\n".join([*lines(results), "## What did not hold", "", *table]) + "\n"


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(read()))
