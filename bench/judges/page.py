"""`python -m bench.judges.page`: docs/judges.md and its plots, out of the tournament's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import beta  # type: ignore[import-untyped]

from bench.judges import many, stock
from bench.judges.table import RIVALS, table, time
from bench.judges.tournament import Case, Row

ROOT = Path(__file__).resolve().parents[2]
RESULTS, DOCS = ROOT / "bench" / "results", ROOT / "docs"
HARM = ("errors x1.5", "errors x2", "errors x10", "p95 +15 %", "p95 +30 %")
GOOD = (
    "same version",
    "p95 +5 %",
    "bursts",
    "daily drift",
    "noisy neighbour",
    "step change in both",
    "moods of pods, 10 min",
)


@dataclass(frozen=True)
class Goal:
    """What a row is held against: the largest median, its 90 % quantile, and failed canary requests.

    And what is worth trying for, of each.
    """

    table: str
    name: str
    median_s: float
    stretch_s: float
    q90_s: float | None = None
    stretch_q90_s: float | None = None
    failed: float | None = None
    stretch_failed: float | None = None


GOALS = (
    Goal("ramp", "same version", 450, 378, 900, 780),
    Goal("ramp", "errors x2", 300, 240, failed=105, stretch_failed=75),
    Goal("ramp", "errors x10", 45, 30, failed=13, stretch_failed=8),
    Goal("ramp", "p95 +15 %", 210, 186),
    Goal("ramp", "p95 +30 %", 64, 58),
    Goal("stock", "Prometheus: lognormal, p95 +15 %", 240, 186),
    Goal("stock", "Prometheus: lognormal, p95 +30 %", 75, 65),
    Goal("stock", "Prometheus: lognormal, p95 x2", 20, 15),
    Goal("single", "x10 after 30 good minutes", 50, 35),
)
WRONG_ROLLBACK, WRONG_PROMOTION = 0.01, 0.05


def main() -> None:
    """Write the page."""
    played = json.loads((RESULTS / "judges.json").read_text())
    cases = [Case.from_dict(one) for one in played["cases"]]
    thousands = [many.Told(**one) for one in json.loads((RESULTS / "many.json").read_text())["nulls"]]
    tables = dict(zip(("ramp", "single", "luck", "stock"), "\n".join(table(cases)).split("\n\n"), strict=True))
    missed = list(misses(cases, thousands)) or ["Every goal is reached in this run."]
    page = (Path(__file__).parent / "page.md").read_text()
    (DOCS / "judges.md").write_text(
        page.format(
            ramp=f"{runs(cases, 'ramp')} releases a row, seed {played['seed']}.\n\n{tables['ramp']}",
            single=f"{runs(cases, 'single')} releases a row.\n\n{tables['single']}",
            luck=f"{runs(cases, 'luck')} releases a row.\n\n{tables['luck']}",
            stands="\n".join(stock.table()),
            stock=f"{runs(cases, 'stock')} releases a row.\n\n{tables['stock']}",
            many="\n".join(many.table(thousands)),
            goals="\n".join(goals(cases)),
            missed="\n".join(missed),
        )
    )
    plots({(one.table, one.name): one for one in cases})
    print(f"written: {(DOCS / 'judges.md').relative_to(ROOT)} and its plots")


def runs(cases: Sequence[Case], table: str) -> str:
    """How many releases a table's rows are of."""
    return " or ".join(str(one) for one in sorted({case.rows["ours"].runs for case in cases if case.table == table}))


def misses(cases: Sequence[Case], thousands: Sequence[many.Told]) -> Iterator[str]:
    """Each goal that a row misses, with the bound beside it."""
    for case in cases:
        ours = case.rows["ours"]
        wrong = case.wrong("ours")
        if wrong is not None and case.truth == "within" and wrong > WRONG_ROLLBACK:
            yield f"- {case.table}: {case.name}: {wrong:.1%} of {ours.runs} are taken back wrongly{_least(wrong, ours.runs)}; the goal is 1 %."
        elif wrong is not None and case.truth != "within" and wrong > WRONG_PROMOTION:
            yield f"- {case.table}: {case.name}: {wrong:.1%} of {ours.runs} are promoted wrongly{_least(wrong, ours.runs)}; the goal is 5 %."
        bound = case.rows.get("bound")
        for goal in GOALS:
            if (goal.table, goal.name) == (case.table, case.name):
                yield from _late(goal, ours, bound)
    for one in thousands:
        for what, share, limit in (
            ("rolled back", one.rolled_back, WRONG_ROLLBACK),
            ("promoted", one.promoted, WRONG_PROMOTION),
        ):
            if share is not None and share > limit:
                yield f"- {one.name}: {share:.2%} of {one.releases:,} are wrongly {what}; the promise is {limit:.0%}."


def goals(cases: Sequence[Case]) -> Iterator[str]:
    """Each goal, what is worth trying for, and what an oracle without guards takes."""
    yield "| row | what | ours | goal | worth trying for | bound |"
    yield "| --- | --- | --- | --- | --- | --- |"
    rows = {(case.table, case.name): case.rows for case in cases}
    for goal in GOALS:
        ours, bound = (rows.get((goal.table, goal.name), {}).get(judge) for judge in ("ours", "bound"))
        if ours is None or bound is None:
            continue
        where = f"{goal.table}: {goal.name}"
        yield _goal(where, "median", *map(time, (ours.median_s, goal.median_s, goal.stretch_s, bound.median_s)))
        if goal.q90_s is not None:
            yield _goal(where, "q90", *map(time, (ours.q90_s, goal.q90_s, goal.stretch_q90_s, bound.q90_s)))
        if goal.failed is not None:
            counts = (ours.failed, goal.failed, goal.stretch_failed, bound.failed)
            yield _goal(where, "failed", *(f"{one:.0f}" for one in counts))


def _goal(*columns: str) -> str:
    return f"| {' | '.join(columns)} |"


def _least(share: float, runs: int) -> str:
    """How few it could be in truth: a row of a hundred may well show 8 % of a version that is at 4."""
    count = round(share * runs)
    return f" (95 % interval from {beta.ppf((1 - many.LEVEL) / 2, count, runs - count + 1):.1%})"


def _late(goal: Goal, ours: Row, bound: Row | None) -> Iterator[str]:
    told = f"; the bound is {time(bound.median_s)}" if bound is not None else ""
    for what, value, limit in (("median", ours.median_s, goal.median_s), ("q90", ours.q90_s, goal.q90_s)):
        if limit is not None and (value is None or value > limit):
            yield f"- {goal.table}: {goal.name}: {what} {time(value)}, the goal is {time(limit)}{told}."
    if goal.failed is not None and ours.failed > goal.failed:
        yield f"- {goal.table}: {goal.name}: {ours.failed:.0f} failed requests, the goal is {goal.failed:.0f}."


def plots(cases: dict[tuple[str, str], Case]) -> None:
    """Both plots: how quick on harm, and how often wrong on good versions."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    judges = ("ours", *RIVALS)
    figure, axes = pyplot.subplots(figsize=(9, 4))
    for number, judge in enumerate(("bound", *judges)):
        rows = [cases["single", name].rows.get(judge) for name in HARM]
        # What is found in most runs, only.
        minutes = [
            row.median_s / 60 if row and row.median_s is not None and row.rolled_back > 0.5 else 0.0 for row in rows
        ]
        axes.bar([place + 0.1 * number for place in range(len(HARM))], minutes, 0.1, label=judge)
    axes.set_xticks([place + 0.4 for place in range(len(HARM))], HARM)
    axes.set_yscale("log")
    axes.set_ylabel("minutes until most are taken back (none: not found)")
    axes.legend(ncols=3, fontsize=8)
    figure.tight_layout()
    figure.savefig(DOCS / "images" / "judges-harm.png", dpi=100)
    figure, axes = pyplot.subplots(figsize=(9, 4))
    for number, judge in enumerate(judges):
        shares = [100 * cases["single", name].rows[judge].rolled_back for name in GOOD]
        axes.bar([place + 0.12 * number for place in range(len(GOOD))], shares, 0.12, label=judge)
    axes.set_xticks([place + 0.36 for place in range(len(GOOD))], GOOD, fontsize=8)
    axes.set_ylabel("good versions taken back, %")
    axes.legend(ncols=3, fontsize=8)
    figure.tight_layout()
    figure.savefig(DOCS / "images" / "judges-good.png", dpi=100)


if __name__ == "__main__":
    main()
