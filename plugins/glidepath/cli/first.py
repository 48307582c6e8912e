"""`glidepath init`: a first policy for a service that runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from glidepath.cli.looked import look
from glidepath.cli.options import FILE, form, save
from glidepath.cli.outside import cluster, outside, prometheus_at
from glidepath.errors import PolicyError


@click.command("init")
@click.option("--service", required=True, help="The service's name.")
@click.option("-n", "--namespace", required=True, help="Its namespace.")
@click.option(
    "--chart", help="The chart that it was installed from: a folder or a packed file, relative to the checkout."
)
@click.option("--file", type=FILE, help="Where the policy is written; default: standard output.")
@click.option("--dry-run", is_flag=True, help="Write no file: the policy goes to standard output.")
@outside
@form
def init(
    service: str, namespace: str, chart: str | None, file: Path | None, dry_run: bool, kubeconfig: str | None, context: str | None, prometheus: str,
    headers: tuple[str, ...], ca: Path | None, output: str,
) -> None:  # fmt: skip
    """Write a first policy for a service that runs.

    Looks at the cluster and at Prometheus, reading only: versions, Helm's release, routes; which preset fits, traffic, scrape
    interval, lag, buckets. What is missing for a release goes to stderr.
    """
    from glidepath.cli.written import lacks, written
    from glidepath.evidence.fitting import fitting
    from glidepath.policy.load import CHECKOUT, parse_policy

    if file is not None and file.exists():
        raise PolicyError(f"{file} is there already; expected a name that is free, or remove it first")
    looked = look(cluster(kubeconfig, context), namespace, service)
    fits = fitting(prometheus_at(prometheus, headers, ca), namespace, service, *looked.counted_as)
    text = written(namespace, service, looked, fits, f"{datetime.now(UTC):%Y-%m-%d}", chart)
    missing = lacks(looked, fits, chart)
    parse_policy(text, str(file or "the policy"), CHECKOUT)
    if file is not None:
        save(file, text, dry_run)
    if output == "json":
        findings = {"cluster": asdict(looked), "evidence": [asdict(fit) for fit in fits]}
        print(
            json.dumps(
                {
                    "policy": text,
                    "file": str(file) if file else None,
                    "dry_run": dry_run,
                    "missing": missing,
                    **findings,
                },
                indent=1,
            )
        )
        return
    click.echo(text if file is None or dry_run else f"{file} is written\n", nl=False)
    for line in missing:
        click.echo(f"missing: {line}", err=True)


COMMANDS = (init,)
