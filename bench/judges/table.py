"""The tournament's tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.judges.rivals import ADVISED, FAVOURED
from bench.judges.tournament import Case, Row

RIVALS = (*ADVISED, *FAVOURED, "naive z")


ALONE = {"ramp": "ramp 5-25-50 %", "luck": "luck and sick pods", "stock": "stock buckets"}


def table(cases: Iterable[Case]) -> Iterator[str]:
    """The tables that there are, line by line, an empty one between them: ours on the ramp, everybody on one step, ours again."""
    known = list(cases)
    for number, name in enumerate(dict.fromkeys(case.table for case in known)):
        here = [case for case in known if case.table == name]
        if number:
            yield ""
        if name in ALONE:
            yield from _alone(ALONE[name], here)
        else:
            yield f"| one step of 10 % | truth | ours | {' | '.join(RIVALS)} | bound |"
            yield f"| --- | --- | --- | {' | '.join('---' for _ in RIVALS)} | --- |"
            yield from map(_all, here)


def _alone(name: str, cases: Sequence[Case]) -> Iterator[str]:
    yield f"| {name} | truth | runs | rolled back | promoted | wrong | median | q90 | failed | canary requests | bound |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    yield from map(_ours, cases)


def time(seconds: float | None) -> str:
    """Seconds as tables show them."""
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if abs(seconds) < 120 else f"{seconds / 60:.1f} min"


def share(value: float | None) -> str:
    """A share in percent; a digit more where it is small."""
    if value is None:
        return ""
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def _ours(case: Case) -> str:
    ours, bound = case.rows["ours"], case.rows.get("bound")
    cells = [
        case.name, case.truth, str(ours.runs), share(ours.rolled_back), share(ours.promoted), share(case.wrong("ours")),
        time(ours.median_s), time(ours.q90_s), f"{ours.failed:.0f}", f"{ours.requests:,.0f}", time(bound.median_s if bound else None),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _all(case: Case) -> str:
    ours, bound = case.rows["ours"], case.rows.get("bound")
    promoted = f"; promoted {share(ours.promoted)}" if ours.promoted > 0 else ""
    if ours.promoted > ours.rolled_back:
        promoted += f" @ {time(ours.median_s)}"
    cells = [case.name, case.truth, _back(ours) + promoted, *(_back(case.rows[judge]) for judge in RIVALS)]
    return f"| {' | '.join([*cells, time(bound.median_s if bound else None)])} |"


def _back(row: Row) -> str:
    """Share rolled back, and if it mostly was, when, and after how many failed requests."""
    if row.rolled_back == 0 or row.rolled_back <= row.promoted:
        return share(row.rolled_back)
    return f"{share(row.rolled_back)} @ {time(row.median_s)}, {row.failed:.0f}"
