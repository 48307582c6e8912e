"""`python -m bench.judges`: the tournament of judges."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from bench.judges.table import table
from bench.judges.tournament import Case, tournament


def main() -> int:
    """Play, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.judges", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="releases a scenario")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only scenarios whose `table: name` contains this")
    parser.add_argument("--whole", action="store_true", help="as many for each scenario, though there be little to see")
    parser.add_argument("--json", type=Path, help="write every number here; with --only, those rows in it anew")
    asked = parser.parse_args()
    started = time.monotonic()
    cases = tournament(asked.runs, asked.jobs, asked.seed, asked.only, asked.whole)
    for line in table(cases):
        print(line)
    few = "" if asked.whole else " (a quarter where there is little to see)"
    seconds = time.monotonic() - started
    print(f"\n{asked.runs} releases a row{few}, seed {asked.seed}; {seconds:.0f} s on {asked.jobs} processes")
    if asked.json is not None:
        keep(asked.json, asked.seed, cases, merge=bool(asked.only))
    return 0


def keep(file: Path, seed: int, cases: list[Case], merge: bool) -> None:
    """Write the cases to a file; merged, in the places of those of the same name that are there."""
    new = {(one.table, one.name): one.to_dict() for one in cases}
    if merge and file.exists():
        there = json.loads(file.read_text())
        if there["seed"] != seed:
            raise SystemExit(f"{file} was played with seed {there['seed']}, this with {seed}: expected the same")
        old = {(one["table"], one["name"]): one for one in there["cases"]}
        new = old | new
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"seed": seed, "cases": list(new.values())}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
