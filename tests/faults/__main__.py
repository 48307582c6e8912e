"""`python -m tests.faults soak --seconds 3600`: faults x phases with random timing. `... table`: write docs/faults.md."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

from tests.faults import table
from tests.faults.arena import Arena
from tests.faults.case import as_row, play
from tests.faults.catalogue import Fault, catalogue

_started = time.monotonic()


def say(text: str) -> None:
    """A line of progress."""
    print(f"[faults {time.monotonic() - _started:5.0f} s] {text}", flush=True)


def choose(rng: random.Random, faults: list[Fault], done: table.Rows) -> tuple[Fault, str]:
    """A case of those that were played least; of the faults that were played least, where there is a choice."""

    def played(case: tuple[Fault, str]) -> tuple[int, int]:
        fault, phase = case
        return len(done[fault.name, phase]), sum(len(done[fault.name, one]) for one in fault.phases)

    cases = [(fault, phase) for fault in faults for phase in fault.phases]
    least = min(map(played, cases))
    return rng.choice([one for one in cases if played(one) == least])


def soak(seconds: float, seed: int, faults: list[Fault], phases: list[str], results: Path) -> int:
    """Play cases until the time is over; how many had something that did not hold."""
    rng, bad = random.Random(seed), 0
    known = catalogue()
    chosen = [
        Fault(**{**vars(one), "phases": tuple(p for p in one.phases if not phases or p in phases)}) for one in faults
    ]
    chosen = [one for one in chosen if one.phases]
    say(f"seed {seed}; {sum(len(one.phases) for one in chosen)} cases to choose from; results go to {results.name}")
    arena = Arena.open(say)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            fault, phase = choose(rng, chosen, table.by_case(table.read(results)))
            result = play(arena, known[fault.name], phase, rng.randrange(2**31), say)
            with results.open("a") as file:
                file.write(json.dumps(as_row(result)) + "\n")
            bad += not result.held
            safe = "-" if result.to_safe_s is None else f"{result.to_safe_s:.1f}"
            say(
                f"  {result.outcome}; safe {safe} s, end {result.to_end_s} s; {'; '.join(result.notes)}; {result.reason[:160]}"
            )
            for one in result.broken:
                say(f"  DID NOT HOLD: {one}")
    finally:
        arena.close()
    return bad


def main() -> int:
    """0 when everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("table", help="write docs/faults.md out of the results")
    commands.add_parser("list", help="the catalogue")
    loss = commands.add_parser("loss", help="seconds from the loss of Airflow to the canary's last request")
    loss.add_argument("--times", type=int, default=3)
    one = commands.add_parser("soak", help="faults x phases with random timing")
    one.add_argument("--seconds", type=float, required=True)
    one.add_argument("--seed", type=int, default=int(time.time()))
    one.add_argument("--fault", action="append", default=[], help="only these; may be repeated")
    one.add_argument("--phase", action="append", default=[], help="only these; may be repeated")
    one.add_argument("--results", type=Path, default=table.RESULTS)
    given = parser.parse_args()
    if given.command == "table":
        table.write()
        return 0
    if given.command == "loss":
        from tests.faults.loss import measure

        seconds = measure(given.times, say)
        print(f"from the loss of Airflow to the canary's last request: {', '.join(f'{one:.1f}' for one in seconds)} s")
        return 0 if max(seconds) < 60 else 1
    known = catalogue()
    if given.command == "list":
        for fault in known.values():
            print(f"{fault.name:24} {fault.what}: {', '.join(fault.phases)}")
        return 0
    if unknown := set(given.fault) - set(known):
        parser.error(f"no fault {', '.join(sorted(unknown))}; see: python -m tests.faults list")
    chosen = [known[name] for name in given.fault] or list(known.values())
    bad = soak(given.seconds, given.seed, chosen, given.phase, given.results)
    say(table.summary(table.read(given.results)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
