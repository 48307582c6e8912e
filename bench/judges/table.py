"""The tournament's tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.judges.tournament import Case, Row

RIVALS = ("kayenta", "flagger", "argo", "naive z")
TRUTHS = {"same": "within", "harm": "harmful", "between": "between"}


def table(cases: Iterable[Case]) -> Iterator[str]:
    """Both tables, line by line."""
    known = list(cases)
    ramp = [case for case in known if case.table == "ramp"]
    if ramp:
        yield "| ramp | truth | promoted | rolled back | median | q90 | failed | canary requests | bound |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for case in ramp:
        ours, bound = case.rows["ours"], case.rows.get("bound")
        yield (
            f"| {case.name} | {TRUTHS[case.truth]} | {ours.promoted:.0%} | {ours.rolled_back:.0%} | {_time(ours.median_s)} | "
            f"{_time(ours.q90_s)} | {ours.failed:.0f} | {ours.requests:.0f} | {_time(bound.median_s) if bound else ''} |"
        )
    single = [case for case in known if case.table == "single"]
    if single:
        yield ""
        yield "| single 10 % step | truth | ours | kayenta | flagger | argo | naive z | bound |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for case in single:
        bound = case.rows.get("bound")
        cells = [_cell(case.rows[judge]) for judge in RIVALS]
        ours = case.rows["ours"]
        promoted = f", promoted {ours.promoted:.0%}" + (
            f" @{_time(ours.median_s)}" if ours.promoted > ours.rolled_back else ""
        )
        own = _cell(ours) + (promoted if ours.promoted > 0 else "")
        yield f"| {case.name} | {TRUTHS[case.truth]} | {own} | {' | '.join(cells)} | {_time(bound.median_s) if bound else ''} |"


def _cell(row: Row) -> str:
    """Share rolled back, and if it mostly was, when and after how many failures."""
    if row.rolled_back == 0 or row.rolled_back <= row.promoted:
        return f"{row.rolled_back:.0%}"
    return f"{row.rolled_back:.0%} @{_time(row.median_s)}, {row.failed:.0f}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if abs(seconds) < 120 else f"{seconds / 60:.1f} min"
