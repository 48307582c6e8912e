"""`glidepath adopt`: a service that runs by plain Helm becomes one that can be released, and goes back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from glidepath.cli.options import FILE, form
from glidepath.cli.outside import OPTIONS, cluster
from glidepath.errors import PolicyError
from glidepath.policy import for_run, load_policy

KUBECONFIG, CONTEXT = OPTIONS[:2]


@click.command("adopt")
@click.argument("file", type=FILE)
@click.option("--version", help="The version that runs: its image's tag or digest. Not with --back.")
@click.option("--back", is_flag=True, help="Make it one Helm release of its chart again.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long pods without traffic stay, until every caller knows.",
)
@click.option("--dry-run", is_flag=True, help="Say whether it can be done, and what that would be; touch nothing.")
@KUBECONFIG
@CONTEXT
@form
def adopt(
    file: Path, version: str | None, back: bool, drain: float, dry_run: bool, kubeconfig: str | None, context: str | None,
    output: str,
) -> None:  # fmt: skip
    """Have the service of the policy FILE be a Helm release per version, without a failed request.

    A service that runs by plain Helm: its Service stays, with its address. A service that is not there yet is installed.
    Cut off, the same command goes on. Needs the rights of whoever installs the service.
    """
    from glidepath.wiring.cluster import claims
    from glidepath.wiring.deploy import adoption, of_stable

    policy = load_policy(file)
    if not policy.helm.per_version:
        raise PolicyError(f"{file}: helm.per_version is false; expected true, with the service's own chart")
    if back == (version is not None):
        raise click.UsageError("expected --version VERSION, or --back")
    spec = None if version is None else for_run(policy, {"version": version})
    api = cluster(kubeconfig, context)
    claims(api, policy.namespace, policy.service).check("an adoption from a terminal")
    lines: list[str] = []
    port = adoption(spec or of_stable(policy, api), api, drain, click.echo if output == "text" else lines.append)
    if dry_run:
        port.say(port.back_would() if spec is None else port.forth_would(spec.version, spec.image))
    elif spec is None:
        port.back()
    else:
        port.forth(spec.version, spec.image)
    if output == "json":
        told = {"service": policy.service, "per_version": spec is not None, "dry_run": dry_run}
        click.echo(json.dumps({**told, "would" if dry_run else "did": lines}))


COMMANDS = (adopt,)
