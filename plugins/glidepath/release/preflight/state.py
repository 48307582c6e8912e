"""Whether the cluster and the calendar are in a state to start a release from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from glidepath.deploy import HelmRelease
from glidepath.deploy import values as chart
from glidepath.errors import PreflightError, SetupError, TrafficDriftError
from glidepath.policy import Image, ReleaseSpec
from glidepath.policy.freeze import frozen_until
from glidepath.ports import Ports
from glidepath.release.run import Say
from glidepath.traffic import EVERY_VERSION, TrafficState


@dataclass(frozen=True)
class Present:
    """What the cluster has now: Helm's revision, the stable version, and the values that are in force."""

    revision: int
    stable: str
    values: dict[str, object]
    given: dict[str, object]


def preflight(spec: ReleaseSpec, ports: Ports, say: Say) -> Present:
    """Make sure that a release can start, reading only.

    Raises:
        PreflightError: Names what was found, what was expected, what to do.
    """
    version = ports.helm.check()
    release = _installed(spec, ports)
    values = dict(ports.helm.effective_values())
    stable = _agreed(spec, ports, values)
    ready = ports.workloads.readiness(stable)
    if not ready.complete:
        raise PreflightError(
            f"the stable version {stable} has {ready.ready} of {ready.wanted} replicas ready, expected all before a "
            f"release: {ready.why}"
        )
    say(f"plan: {spec.namespace}/{spec.service}: stable {stable} ({ready.ready} replicas), wanted {spec.version}")
    say(f"plan: helm {version}, release {release.name} at revision {release.revision}")
    if release.status != "deployed":
        say(
            f"plan: helm's newest revision, {release.newest}, is {release.status}: the release goes by revision "
            f"{release.revision}, the last that was deployed"
        )
    return Present(release.revision, stable, values, dict(release.values))


def _installed(spec: ReleaseSpec, ports: Ports) -> HelmRelease:
    """What is installed, after making sure that it is of the kind that the policy says."""
    release = ports.helm.status()
    if spec.helm.per_version and not (release and release.values.get("roles")):
        raise PreflightError(
            f"{spec.namespace}/{spec.service} is not adopted: "
            + (
                f"Helm's release {release.name} is not of the routes"
                if release
                else f"there is no Helm release {ports.helm.release}"
            )
            + ", expected a Helm release per version; nothing was touched. First: glidepath adopt FILE --version VERSION, with the "
            "version that runs"
        )
    if release is None:
        raise PreflightError(
            f"helm release {ports.helm.release!r} is not installed in namespace {spec.namespace!r}; install the "
            f"stable version first: helm install {ports.helm.release} {ports.helm.chart} -n {spec.namespace}"
        )
    return release


def _agreed(spec: ReleaseSpec, ports: Ports, values: Mapping[str, Any]) -> str:
    """The stable version, after making sure that Helm's values and the routes say the same of it."""
    stable, canary = chart.roles(values)
    routes = _routes(spec, ports)
    split = routes.split
    if split.stable != stable:
        raise PreflightError(
            f"Helm says that {stable!r} is stable, {routes.name} routes to {split.stable!r} first; "
            "make them agree (helm upgrade) before a release"
        )
    if canary is not None and split.canary_weight > 0 and spec.version != stable:
        raise PreflightError(
            f"canary {canary!r} has {split.canary_weight} % of the traffic outside any release; take it to 0 first: "
            f"helm upgrade {ports.helm.release} ... --set {chart.NO_CANARY}"
        )
    return stable


def with_chart(spec: ReleaseSpec, ports: Ports, say: Say) -> ReleaseSpec:
    """The spec with the digest of a chart that is in a registry: every task has that one, wherever its version leads by then."""
    digest = ports.helm.pinned()
    if digest is None:
        return spec
    say(
        f"plan: chart {spec.helm.chart} {spec.chart_version if spec.helm.chart_is_released else spec.helm.version} is {digest}"
    )
    return spec.model_copy(update={"helm": spec.helm.model_copy(update={"digest": digest})})


def _routes(spec: ReleaseSpec, ports: Ports) -> TrafficState:
    """The routes, after making sure that they can be shifted.

    Raises:
        PreflightError: Names the entry that can't be taken.
    """
    try:
        state = ports.traffic.read()
    except (TrafficDriftError, SetupError) as error:
        raise PreflightError(f"{error}; nothing was touched. Mend the routes, then start a new run") from error
    if EVERY_VERSION in state.beside:
        raise PreflightError(
            f"{state.name} leads to {spec.service} without naming a version beside its weights: the canary would get those "
            "requests as well. Name a version there; nothing was touched"
        )
    return state


def thawed(spec: ReleaseSpec, say: Say, at: float) -> None:
    """Make sure that no freeze window holds, or that somebody said why it does not matter.

    Raises:
        PreflightError: Says until when releases are frozen, and why.
    """
    frozen = frozen_until(spec.freeze, datetime.fromtimestamp(at, UTC))
    if frozen is None or spec.dry_run:
        return
    until, why = frozen
    words = f"releases of {spec.service} are frozen until {until:%Y-%m-%d %H:%M %Z}" + (f" ({why})" if why else "")
    if spec.override_freeze is None:
        raise PreflightError(
            f'{words}; nothing was touched. Wait, or start with {{"override_freeze": "the reason"}}, which is recorded'
        )
    say(f"plan: {words}; overridden: {spec.override_freeze}")


def same_image(spec: ReleaseSpec, present: Present) -> None:
    """Make sure that the version that is called like the stable one is the stable one.

    Raises:
        PreflightError: It is another image: two versions have one name.
    """
    theirs = chart.image_of(present.values, present.stable)
    if theirs != spec.image:
        raise PreflightError(
            f"version {_shown(spec.image, spec.version)} is called {spec.version} in the cluster, as is the stable version, whose "
            f"image is {_shown(theirs, present.stable)}; nothing was touched. Give the new version another tag"
        )


def _shown(image: Image, name: str) -> str:
    return repr(image.digest or image.tag or name)
