"""What has to hold after every single fault, whatever it was: one function, `broken`, that looks from the outside.

It reads the VirtualService, the Deployments, Helm's history, the Lease, the API server's audit log, the proxies'
counters in Prometheus, what the traffic generator's callers saw, and the record. It calls nothing of the release.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.release.phases import Phase
from rig import stage, witness
from rig.environment import NAMESPACE, RigError, cluster, helm
from tests.faults.audit import GROUP, Write, writes
from tests.support.world import SERVICE, deployments, helm_roles, lease, objects, split

GLIDEPATH = f"system:serviceaccount:{NAMESPACE}:glidepath"
WATCHDOG = f"system:serviceaccount:{NAMESPACE}:glidepath-watchdog"
HELD_KINDS = ("virtualservices", "destinationrules", "deployments")
SCRAPE_S = 5.0


@dataclass(frozen=True)
class Played:
    """A release that was struck, and what may have followed from the fault.

    Attributes:
        release_id: The release; the record need not know it if it was struck before it was planned.
        began: Before its run was started, epoch seconds.
        stable, canary: The versions' roles then.
        harmful: Whether the canary is one that must never be promoted.
        ends: The outcomes that are fine.
        people: API users who wrote as part of the fault.
        callers_may_fail: Requests may have failed by the fault itself.
        outage: From when until when telemetry gave no evidence, epoch seconds.
        says: What the reason has to say.
        refused_503: What the proxies had counted as 503 when it began, by series.
    """

    release_id: str
    began: float
    stable: str
    canary: str
    harmful: bool = False
    ends: tuple[str, ...] = ("promoted", "rolled_back")
    people: tuple[str, ...] = ()
    callers_may_fail: bool = False
    outage: tuple[float, float] | None = None
    says: str = ""
    refused_503: dict[str, float] = field(default_factory=dict)


def broken(record: Record, played: Played) -> list[str]:
    """Everything that does not hold, a sentence each; nothing when all holds."""
    found = record.find(played.release_id)
    outcome = found.outcome if found else None
    final = played.canary if outcome == Phase.PROMOTED else played.stable
    history = writes(played.began)
    return [
        *_ended(played, found is not None, outcome),
        *at_rest(final),
        *_silent(final, played),
        *_callers(played),
        *_writers(played, history),
        *_telemetry(record, played, outcome),
        *_record(record, played, outcome, history),
    ]


def _ended(played: Played, planned: bool, outcome: str | None) -> Iterator[str]:
    if planned and outcome not in (*played.ends, "refused"):
        yield f"the release's outcome is {outcome}, expected {' or '.join(played.ends)}"
    if played.harmful and outcome == Phase.PROMOTED:
        yield f"{played.canary} is harmful and was promoted"


def at_rest(stable: str) -> list[str]:
    """What is not as it should be between releases: one version with everything, nothing locked or half done."""
    wrong = []
    if (now := split()) != {stable: 100}:
        wrong.append(f"the VirtualService splits {now}, expected all on {stable}")
    ready = deployments()
    if set(ready) != {stable} or ready.get(stable, 0) < 2:
        wrong.append(f"ready replicas are {ready}, expected two of {stable} and nothing else")
    if (roles := helm_roles()) != {"stable": stable, "canary": ""}:
        wrong.append(f"Helm's roles are {roles}, expected {stable} and no canary")
    return [*wrong, *_helm(), *locked()]


def _helm() -> Iterator[str]:
    rows = json.loads(helm("history", stage.RELEASE, "-n", NAMESPACE, "-o", "json"))
    pending = [one["revision"] for one in rows if str(one["status"]).startswith("pending")]
    if pending:
        yield f"Helm's revisions {pending} are pending: every other upgrade would be refused"
    if rows[-1]["status"] != "deployed":
        yield f"Helm's newest revision {rows[-1]['revision']} is {rows[-1]['status']}"


def locked() -> list[str]:
    """What is still held: the Lease, or objects that a person's kubectl could not change."""
    wrong = []
    if holder := lease()["spec"].get("holderIdentity"):
        wrong.append(f"the Lease is held by {holder}")
    for name, (_, _, marks) in objects()["objects"].items():
        if marks.get(f"{GROUP}/state") == "held":
            wrong.append(f"{name} is held")
    return wrong


def prometheus(query: str) -> list[dict[str, Any]]:
    """A query of the cluster's own Prometheus, past every proxy."""
    answer = requests.get(f"{cluster()['PROMETHEUS_URL']}/api/v1/query", params={"query": query}, timeout=10).json()
    return list(answer["data"]["result"])


def count_503() -> dict[str, float]:
    """What the callers' proxies have counted as 503, by series."""
    query = f'istio_requests_total{{destination_service_name="{SERVICE}",response_code="503"}}'
    return {json.dumps(one["metric"], sort_keys=True): float(one["value"][1]) for one in prometheus(query)}


def _silent(final: str, played: Played) -> Iterator[str]:
    """The version that is not in charge gets no requests: by the proxies' counters, and by the callers' word."""
    other = played.stable if final == played.canary else played.canary
    where = f'destination_service_name="{SERVICE}",destination_version="{other}"'
    query = f"sum(increase(istio_requests_total{{{where}}}[{2.2 * SCRAPE_S:.0f}s]))"
    deadline = time.monotonic() + 30
    while (now := sum(float(one["value"][1]) for one in prometheus(query))) > 0 and time.monotonic() < deadline:
        time.sleep(1)
    if now > 0:
        yield f"the proxies still send {other} requests: {now:.0f} in two scrapes"
    seen = witness.counts(time.time() - 2).get(other)
    if seen is not None:
        yield f"{other} answered {seen.requests} requests within the last 2 s"


def _callers(played: Played) -> Iterator[str]:
    if played.callers_may_fail:
        return
    seen = witness.counts(played.began)
    if failed := witness.routing_failures(seen):
        yield f"{failed} requests failed before any version answered: {seen['none'].statuses}"
    for version, one in seen.items():
        odd = {status: n for status, n in one.statuses.items() if status not in ("200", "500")}
        if odd and version != "none":
            yield f"{version} answered {odd}"
    before = played.refused_503
    new = sum(
        value - before.get(key, 0) if value >= before.get(key, 0) else value for key, value in count_503().items()
    )
    if new > 0:
        yield f"the proxies counted {new:.0f} answers of 503"


def _writers(played: Played, history: list[Write]) -> Iterator[str]:
    """Nobody but the holder wrote: tokens only grow, on the Lease and on each object; no stale write stood."""
    allowed = {GLIDEPATH, WATCHDOG, *played.people}
    current, tokens, routes = 0, dict[str, int](), None
    for one in history:
        if one.code >= 300 or one.user.startswith(("system:kube", "system:serviceaccount:kube-system", "system:node")):
            continue
        if one.kind.split("/")[0] not in (*HELD_KINDS, "leases"):
            continue
        if one.user not in allowed:
            yield f"{one.user} ({one.agent}) wrote {one.kind}/{one.name}"
        if "/" in one.kind or one.verb == "delete":
            tokens.pop(f"{one.kind}/{one.name}", None)
            continue
        name = f"{one.kind}/{one.name}"
        if one.token < tokens.get(name, 0):
            yield f"{name} went back from token {tokens[name]} to {one.token}, by {one.user} ({one.agent})"
        tokens[name] = one.token
        current = max(current, one.token) if one.kind == "leases" else current
        routes = one if one.kind == "virtualservices" else routes
        if routes is one:
            stale = one.user == GLIDEPATH and one.token < current
    if routes is not None and stale:
        yield f"the routes were written last by a stale writer, with token {routes.token} after {current} was given out"


def _telemetry(record: Record, played: Played, outcome: str | None) -> Iterator[str]:
    """No verdict, and no step forward, out of an outage."""
    if played.outage is None:
        return
    # What was scraped before it began may still be looked at.
    start, end = played.outage[0] + 2 * SCRAPE_S, played.outage[1]
    journal = Journal(record, played.release_id)
    for word in journal.words():
        if word.decision in ("advance", "promote") and start < word.noted < end:
            yield f"step {word.step} got the word {word.decision} without telemetry"
    harm = journal.harm()
    if harm is not None and start < harm.noted < end:
        yield f"{played.canary} was blamed without telemetry: {harm.reason}"
    if harm is not None and not played.harmful:
        yield f"{played.canary} is good and was blamed: {harm.reason}, the release ended {outcome}"


def _record(record: Record, played: Played, outcome: str | None, history: list[Write]) -> Iterator[str]:
    """The record tells what happened: how it ended and why, and every weight that the API server saw."""
    release = record.find(played.release_id)
    if release is None:
        yield from _untouched(played, history)
        return
    if not release.reason:
        yield "the record gives no reason for the outcome"
    if played.says and outcome == Phase.ROLLED_BACK and played.says not in str(release.reason):
        yield f"the reason says {release.reason!r}, expected something of {played.says!r}"
    journal = Journal(record, played.release_id)
    fate = journal.fate()
    expected = {Phase.PROMOTED: "committed", Phase.ROLLED_BACK: "taken_back"}.get(Phase(outcome)) if outcome else None
    if expected is not None and (fate is None or fate.kind != expected):
        yield f"the outcome is {outcome}, the fate in the record {fate.kind if fate else 'open'}"
    noted = {given.weight for given in journal.weights()}
    noted |= {0, 100} if fate is not None or journal.phases() else {0}
    given = {one.weights.get(played.canary, 0) for one in history if _routes(one) and one.user == GLIDEPATH}
    if unknown := given - noted:
        yield f"the API server saw weights {sorted(unknown)} that the record does not tell of"


def _routes(one: Write) -> bool:
    return one.kind == "virtualservices" and one.code < 300 and one.verb in ("patch", "update", "create")


def _untouched(played: Played, history: list[Write]) -> Iterator[str]:
    """Without a record nothing may have been touched."""
    for one in history:
        if one.user == GLIDEPATH and one.code < 300 and one.kind in HELD_KINDS:
            yield f"the record has no release {played.release_id}, and yet {one.kind}/{one.name} was written"


def try_broken(record: Record, played: Played) -> list[str]:
    """As `broken`; that one can't look is something that does not hold, too."""
    try:
        return broken(record, played)
    except (RigError, requests.RequestException, KeyError, ValueError) as error:
        return [f"it could not be looked at: {error!r}"]
