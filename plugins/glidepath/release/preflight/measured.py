"""Telemetry as it is: the interval and the lag that `plan` measures are what a release goes by, not what a policy says."""

from __future__ import annotations

from glidepath.errors import PolicyError, PreflightError
from glidepath.evidence import source_of
from glidepath.policy import ReleaseSpec
from glidepath.ports import Ports
from glidepath.release.run import Say

# A policy's interval that is off by no more than this is as measured: scrapes are late at times.
ALIKE = 1.25
# Counts that come later than this can't bring a canary back in time.
LATEST_S = 60.0


def measured(spec: ReleaseSpec, ports: Ports, stable: str, say: Say) -> ReleaseSpec:
    """The spec with the scrape interval and the lag of the stable version's samples, both said.

    Raises:
        PreflightError: By these the policy can't be kept, or samples come too late.
        EvidenceError: Prometheus did not answer.
    """
    source, now = source_of(spec, [stable]), ports.evidence.now()
    seen = ports.evidence.cadence(source, stable, now)
    if seen is None:
        return spec
    stated = spec.evidence.scrape
    scrape = stated if stated / ALIKE <= seen.interval <= stated * ALIKE else round(seen.interval, 1)
    late = f", and can be read some {seen.lag:.0f} s later" if seen.lag else ""
    say(f"plan: samples are {seen.interval:.3g} s apart{late}")
    if seen.lag > LATEST_S:
        raise PreflightError(
            f"the newest sample of {stable} is {seen.lag:.0f} s old, expected at most {LATEST_S:.0f} s: Prometheus no longer "
            "scrapes it, or its samples come too late (remote write) to take a canary back in time; nothing was touched. Query "
            "the Prometheus that scrapes, or shorten the way"
        )
    if (scrape, seen.lag) == (stated, spec.evidence.lag):
        return spec
    if scrape != stated:
        say(f"plan: the policy says evidence.scrape: {stated:g} s; the release goes by {scrape:g} s, as measured")
    values = spec.to_dict()
    values["evidence"] = {**values["evidence"], "scrape": scrape, "lag": round(seen.lag, 1)}
    try:
        return ReleaseSpec.from_dict(values)
    except PolicyError as error:
        raise PreflightError(
            f"samples are {scrape:g} s apart, and by that the policy can't be kept; nothing was touched. Scrape as often as it "
            f"says, or change it: {error}"
        ) from error
