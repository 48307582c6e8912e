"""Policies from a terminal: whether they are valid, and what a release by one would be."""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from glidepath.cli.options import FILE, form
from glidepath.cli.outside import cluster, outside, prometheus_at
from glidepath.errors import GlidepathError, PolicyError
from glidepath.policy import Policy, for_run, load_policy

# Stand for versions where a policy is looked at without a cluster.
ANY = ("STABLE", "CANARY")


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=FILE)
@form
@click.pass_context
def validate(context: click.Context, files: tuple[Path, ...], output: str) -> None:
    """Say whether policies are valid, and what they count."""
    rows = [_validated(path) for path in files]
    if output == "json":
        print(json.dumps(rows, indent=1))
    else:
        for row in rows:
            if row["valid"]:
                print(f"{row['file']}: valid; {row['dag']}, {row['source']}: {', '.join(row['metrics'])}")
                for name in ("requests", "latency"):
                    print(f"  {name}: {row[name] or 'not asked for'}")
                for remark in row["remarks"]:
                    print(f"  WARNING: {remark}")
            else:
                click.echo(f"glidepath: {row['error']}", err=True)
    if not all(row["valid"] for row in rows):
        context.exit(1)


def _validated(path: Path) -> dict[str, Any]:
    from glidepath.evidence import source_of
    from glidepath.policy.presets import untried

    try:
        policy = load_policy(path)
        source = source_of(policy, ANY)
    except PolicyError as error:
        return {"file": str(path), "valid": False, "error": str(error)}
    return {
        "file": str(path), "valid": True, "dag": policy.dag_id, "source": policy.evidence.source,
        "metrics": [metric.title for metric in policy.metrics], "requests": source.requests, "latency": source.latency,
        "remarks": [remark for remark in map(untried, policy.sources) if remark],
    }  # fmt: skip


@click.command("plan")
@click.argument("file", type=FILE)
@click.option("--version", required=True, help="The version that would be released.")
@outside
@form
def plan(
    file: Path, version: str, kubeconfig: str | None, context: str | None, prometheus: str, headers: tuple[str, ...],
    ca: Path | None, output: str,
) -> None:  # fmt: skip
    """Say what a release by the policy FILE would be: what the task `plan` says, with a dry run. Reads only."""
    from glidepath.record import Record
    from glidepath.wiring.ports import ports

    policy = load_policy(file)
    api = cluster(kubeconfig, context)
    reader = prometheus_at(prometheus, headers, ca)
    # The record of releases is not asked, let alone written.
    with TemporaryDirectory() as folder:
        nobodys = Record(f"sqlite:///{folder}/record.db")
        planned(policy, version, ports(policy, api, reader, None, None, nobodys), output)


def planned(policy: Policy, version: str, ports: Any, output: str) -> None:
    """Examine and tell; what is said of it goes to stdout as text, or with it as JSON."""
    from glidepath.release.tasks.plan import examine

    spec = for_run(policy, {"version": version, "dry_run": True})
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        if output == "text":
            print(line)

    try:
        ports.claims.check("a plan from a terminal")
        examined = examine(spec, ports, say, time.time())
    except GlidepathError as error:
        if output == "json":
            print(json.dumps({"service": spec.service, "refused": True, "reason": str(error), "said": lines}, indent=1))
        raise
    if examined.judgement is None:
        say(f"{version} is the stable version of {spec.service} already")
    if policy.gitops is not None:
        say("plan: whom gitops names is asked by the task only: it has Airflow's connections")
    if output == "json":
        head = {"service": spec.service, "stable": examined.stable, "canary": version, "refused": False, "said": lines}
        judged = examined.judgement.to_dict() if examined.judgement else None
        print(json.dumps({**head, "spec": examined.spec.to_dict(), "plan": judged}, allow_nan=False, indent=1))


COMMANDS = (validate, plan)
