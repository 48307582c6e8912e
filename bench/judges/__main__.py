"""`python -m bench.judges`: the tournament of judges."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from bench.judges.table import table
from bench.judges.tournament import tournament


def main() -> int:
    """Play, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.judges", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="releases a scenario")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only scenarios whose `table: name` contains this")
    parser.add_argument("--json", type=Path, help="write every number here")
    asked = parser.parse_args()
    started = time.monotonic()
    cases = tournament(asked.runs, asked.jobs, asked.seed, asked.only)
    for line in table(cases):
        print(line)
    print(
        f"\n{asked.runs} releases a row (a quarter where there is little to see), seed {asked.seed}; {time.monotonic() - started:.0f} s on {asked.jobs} processes"
    )
    if asked.json is not None:
        values = {
            "runs": asked.runs,
            "seed": asked.seed,
            "cases": [case.to_dict() for case in cases],
        }
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(values, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
