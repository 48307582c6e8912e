"""`python -m glidepath.replay`: recorded evidence exported, judged again, asked what another policy would have done."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from glidepath.errors import GlidepathError
from glidepath.policy import Policy, load_policy
from glidepath.replay import decisions, telling
from glidepath.replay.evidence import json_schema, read_evidence, write_evidence
from glidepath.replay.judging import replanned, replay


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 2 when the input was refused."""
    asked = _parser().parse_args(argv)
    try:
        asked.run(asked)
    except GlidepathError as error:
        print(f"glidepath: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="glidepath", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("export", help="write a recorded release's evidence as JSON Lines")
    one.add_argument("release", help="the release's identity, as the plan task's log says it")
    one.add_argument("-o", "--output", type=Path, help="a file; default: standard output")
    one.add_argument("--record", help="the record's SQLAlchemy URL; default: GLIDEPATH_RECORD_URL, or Airflow's home")
    one.set_defaults(run=_export)
    one = commands.add_parser("replay", help="judge evidence again, look by look")
    one.add_argument("evidence", type=Path)
    one.add_argument("--policy", type=Path, help="judge by this policy, on the recorded baseline and edges")
    one.add_argument("-o", "--output", choices=["text", "json"], default="text")
    one.set_defaults(run=_replay)
    one = commands.add_parser("backtest", help="which recorded decisions a policy would have changed, and when")
    one.add_argument("--policy", type=Path, required=True)
    one.add_argument("folder", type=Path, help="with *.jsonl as `export` writes them")
    one.add_argument("-o", "--output", choices=["text", "json"], default="text")
    one.set_defaults(run=_backtest)
    one = commands.add_parser("schema", help="the JSON Schema of evidence")
    one.set_defaults(run=lambda _: print(json.dumps(json_schema(), indent=1)))
    return parser


def _export(asked: argparse.Namespace) -> None:
    from glidepath.record import Record
    from glidepath.replay.recorded import export

    evidence = export(Record(asked.record), asked.release)
    if asked.output is None:
        write_evidence(evidence, sys.stdout)
        return
    with asked.output.open("w", encoding="utf-8") as file:
        write_evidence(evidence, file)


def _replay(asked: argparse.Namespace) -> None:
    evidence = read_evidence(asked.evidence)
    policy: Policy | None = load_policy(asked.policy) if asked.policy else None
    looks = list(replay(evidence, replanned(evidence, policy) if policy else None))
    start = decisions.first(evidence)
    decision = decisions.decided(evidence, looks, policy)
    recorded = decisions.recorded(evidence)
    if asked.output == "json":
        told = {"release": evidence.header.release, "decision": asdict(decision), "recorded": asdict(recorded)}
        print(json.dumps({**told, "looks": [look.to_dict() for look in looks]}, allow_nan=False, indent=1))
        return
    for line in telling.legend(looks[-1]) if looks else ():
        print(line)
    for count, look in enumerate(looks, 1):
        print(telling.look_line(count, look, start))
    print(f"decision: {telling.decision(decision)}")
    print(f"recorded: {telling.decision(recorded)}")


def _backtest(asked: argparse.Namespace) -> None:
    changes = list(decisions.backtest(load_policy(asked.policy), asked.folder))
    if asked.output == "json":
        print(json.dumps([{**asdict(one), "changed": one.changed} for one in changes], indent=1))
        return
    for one in changes:
        print(telling.change(one))
    print(f"{sum(one.changed for one in changes)} of {len(changes)} decisions would change")


if __name__ == "__main__":
    sys.exit(main())
