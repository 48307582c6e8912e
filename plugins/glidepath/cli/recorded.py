"""Recorded evidence: exported, judged again, asked what another policy would have done."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from glidepath.cli.options import FILE, form, save
from glidepath.cli.reached import Reach, reaching
from glidepath.policy import Policy, load_policy
from glidepath.replay import decisions, telling
from glidepath.replay.evidence import json_schema, read_evidence
from glidepath.replay.judging import replanned, replay

FOLDER = click.Path(path_type=Path, file_okay=False)
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what --file would be; write nothing.")


@click.command("export")
@click.argument("release")
@click.option("--file", type=FILE, help="Where it is written; default: standard output.")
@dry_run_option
@reaching
@form
def export_release(release: str, file: Path | None, dry_run: bool, reach: Reach, output: str) -> None:
    """Write a recorded release's evidence as JSON Lines.

    RELEASE is its identity, as the plan task's log says it. With -o json: what was written, or without --file one object of
    its header and its lines.
    """
    lines = [f"{line}\n" for line in reach().evidence(release).split("\n") if line]
    if file is not None:
        save(file, "".join(lines), dry_run)
        if output == "json":
            print(json.dumps({"release": release, "file": str(file), "lines": len(lines), "dry_run": dry_run}))
        elif dry_run:
            print(f"{file} would be written: {len(lines)} lines")
    elif output == "json":
        header, *looks = map(json.loads, lines)
        print(json.dumps({"header": header, "lines": looks}, allow_nan=False))
    else:
        sys.stdout.writelines(lines)


@click.command("replay")
@click.argument("evidence", type=FILE)
@click.option("--policy", type=FILE, help="Judge by this policy, on the recorded baseline and edges.")
@form
def replay_release(evidence: Path, policy: Path | None, output: str) -> None:
    """Judge the EVIDENCE of a release again, look by look."""
    recording = read_evidence(evidence)
    by: Policy | None = load_policy(policy) if policy else None
    looks = list(replay(recording, replanned(recording, by) if by else None))
    start = decisions.first(recording)
    decision, was = decisions.decided(recording, looks, by), decisions.recorded(recording)
    if output == "json":
        head = {"release": recording.header.release, "decision": asdict(decision), "recorded": asdict(was)}
        print(json.dumps({**head, "looks": [look.to_dict() for look in looks]}, allow_nan=False, indent=1))
        return
    for line in telling.legend(looks[-1]) if looks else ():
        print(line)
    for count, look in enumerate(looks, 1):
        print(telling.look_line(count, look, start))
    print(f"decision: {telling.decision(decision)}")
    print(f"recorded: {telling.decision(was)}")


@click.command("backtest")
@click.argument("folder", type=FOLDER)
@click.option("--policy", type=FILE, required=True, help="The policy that is asked about.")
@form
def backtest_policy(folder: Path, policy: Path, output: str) -> None:
    """Say which recorded decisions a policy would have changed, and when.

    FOLDER has *.jsonl as `export` writes them.
    """
    changes = list(decisions.backtest(load_policy(policy), folder))
    if output == "json":
        print(json.dumps([{**asdict(change), "changed": change.changed} for change in changes], indent=1))
        return
    for change in changes:
        print(telling.change(change))
    print(f"{sum(change.changed for change in changes)} of {len(changes)} decisions would change")


@click.command("report")
@click.argument("release", required=False)
@click.option("--service", help="The newest release of this service, where none is named.")
@click.option(
    "--policy", "policies", type=FILE, multiple=True, help="What this policy would have decided; several may be named."
)
@click.option("--file", type=FILE, help="Where it is written; default: standard output.")
@dry_run_option
@reaching
@click.option(
    "-o",
    "--output",
    type=click.Choice(["markdown", "html", "json"]),
    help="Default: html for a --file of that name, else markdown.",
)
def report_of(
    release: str | None, service: str | None, policies: tuple[Path, ...], file: Path | None, dry_run: bool, reach: Reach,
    output: str | None,
) -> None:  # fmt: skip
    """Write the report of a release: hypotheses, decision rule and error rates as they were declared, evidence, decision.

    RELEASE is its identity, DAG/RUN; default: the newest. The HTML is one file that loads nothing.
    """
    from glidepath.cli.releases import newest

    there = reach()
    form = output or ("html" if file and file.suffix in (".html", ".htm") else "markdown")
    asked = {str(path): load_policy(path) for path in policies}
    text = there.report(newest(there, release, service), form, asked)
    if file is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    save(file, text, dry_run)
    if dry_run:
        click.echo(f"{file} would be written: {form}, {len(text.encode())} bytes")


@click.command("schema")
@click.option("-o", "--output", type=click.Choice(["json"]), default="json", help="How it is told.")
def schema(output: str) -> None:  # noqa: ARG001 - there is but one form
    """Print the JSON Schema of evidence."""
    print(json.dumps(json_schema(), indent=1))


COMMANDS = (export_release, replay_release, backtest_policy, report_of, schema)
