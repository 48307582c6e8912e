"""A first policy, out of what was found."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from glidepath.cli.looked import Looked
from glidepath.evidence.fitting import Fit
from glidepath.policy.presets import PRESETS, untried

# The latency tolerance that is written.
TOLERANCE = 1.10
# A claim lasts at least so many scrapes.
LEASE_SCRAPES, LEASE_S = 3, 50.0
# The chart that knows Glidepath; and what stands where one has to be named.
OWN_CHART, NO_CHART = "include/helm-chart", "charts/CHART"
# So many edges are told.
TOLD = 12


def lacks(looked: Looked, fits: Sequence[Fit], chart: str | None = None) -> list[str]:
    """What is missing for a release, each a sentence."""
    missing = list(looked.missing)
    if looked.plain is not None:
        missing.append(
            f"a Helm release per version: when the policy is as it should be, glidepath adopt FILE --version {looked.stable} "
            "makes that of what runs (docs/own-cluster.md)"
        )
    if chart is None and (looked.plain is not None or looked.of_versions is not None):
        missing.append("helm.chart: the folder or packed file of the chart that it was installed from (--chart)")
    if not fits:
        return [
            *missing,
            f"Prometheus has no requests of {looked.stable} by any preset: does it scrape the service, or its callers' proxies? "
            "Other names are said by `evidence.counts` (docs/write-a-policy.md)",
        ]
    best = fits[0]
    if not best.per_s:
        missing.append(f"{looked.stable} had no request in five minutes: without traffic nothing can be judged")
    if best.cadence is None:
        missing.append("too few samples to measure the scrape interval: look again in some minutes")
    if best.remark:
        missing.append(f"latency can't be read: {best.remark}")
    elif not best.edges and not best.native:
        missing.append("no latency histogram: `metrics` leaves latency out")
    if remark := untried(best.source):
        missing.append(remark)
    return missing


def written(
    namespace: str, service: str, looked: Looked, fits: Sequence[Fit], day: str, chart: str | None = None
) -> str:
    """The policy's text; what it says of evidence is the first fit.

    Args:
        namespace, service: Whose.
        looked: What the cluster has of it.
        fits: What Prometheus has of it.
        day: When that was.
        chart: Where its chart is; None where nobody said.
    """
    best = fits[0] if fits else None
    scrape = best.cadence.interval if best and best.cadence else 5.0
    lines = [
        f"# Written by `glidepath init` on {day}, of what it found. Read it, then: glidepath plan FILE --version VERSION",
        f"service: {service}",
        f"namespace: {namespace}",
        "helm:",
        f"  release: {looked.helm or service}" + ("" if looked.helm else "      # not found: as `helm list` shows it"),
        *_chart(looked, chart),
        "",
        "steps:                           # low first; proof is quickest where both versions have much traffic",
        "- {weight: 5, bake: 60s}",
        "- {weight: 25, bake: 60s}",
        "- {weight: 50, bake: 2m}",
        "",
        "evidence:",
        *_evidence(looked, fits),
        "",
        "metrics:",
        *_metrics(best),
        "",
        f"lease: {max(LEASE_S, LEASE_SCRAPES * scrape):g}s                       # unrenewed for so long, the watchdog takes the canary back",
    ]
    return "\n".join(lines) + "\n"


def _chart(looked: Looked, chart: str | None) -> list[str]:
    given = looked.plain.values if looked.plain is not None else looked.of_versions
    if given is None:
        return [f"  chart: {chart or OWN_CHART}      # folder or packed file of the chart that it was installed from"]
    values = yaml.safe_dump({"values": dict(given)}, sort_keys=False).splitlines()
    return [
        f"  chart: {chart or NO_CHART}           # folder or packed file of the chart that it was installed from",
        "  per_version: true              # each version is a Helm release of this chart",
        f"  # As {looked.stable} was installed; name, tag and replicas are written for each version.",
        *(f"  {line}" for line in values),
    ]


def _evidence(looked: Looked, fits: Sequence[Fit]) -> list[str]:
    if not fits:
        return ["  source: istio                  # nothing was found by this or any other preset"]
    best, *others = fits
    names = PRESETS[best.source].names if best.source in PRESETS else "the example service's own names"
    lines = [
        f"  source: {best.source}    # {names}",
        f"  # {best.per_s:.3g} requests a second of {looked.stable}, counted by {best.pods} pods",
    ]
    if others:
        told = ", ".join(f"{fit.source} ({fit.per_s:.3g} a second)" for fit in others)
        lines.append(
            f"  # there as well: {told}. One may guard the other: - {{kind: errors, source: {others[0].source}, role: guard}}"
        )
    if best.native:
        lines.append("  histograms: native")
    if best.cadence:
        lines.append(f"  scrape: {best.cadence.interval:.3g}s                   # measured; so is the lag")
        lines.append(f"  lag: {best.cadence.lag:.3g}s")
    if best.edges:
        edges = ", ".join(f"{edge:g}" for edge in best.edges[:TOLD]) + (", ..." if len(best.edges) > TOLD else "")
        lines.append(f"  # latency buckets, seconds: {edges}")
    return lines


def _metrics(best: Fit | None) -> list[str]:
    lines = ["- kind: errors                   # margins: docs/write-a-policy.md"]
    if best is None or best.native or best.edges:
        lines.append(f"- {{kind: latency, quantile: 0.95, tolerance: {TOLERANCE:g}}}")
    counts = PRESETS[best.source if best else "istio"].counts if best is None or best.source in PRESETS else None
    if counts and counts.client_errors:
        (label, values), *_ = counts.client_errors.items()
        lines.append(
            "# What callers are to blame for, more or less of it: a version that refuses everybody makes no errors."
        )
        lines.append(
            f'- {{kind: share, name: client-errors, event: {{{label}: "{values}"}}, margin: 0.02, role: guard}}'
        )
    return lines
