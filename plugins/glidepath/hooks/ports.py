"""A release's ports, out of Airflow's connections.

The heavy imports happen inside the functions: this module is read whenever a DAG file is parsed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from glidepath.hooks.cluster import kubernetes_api
from glidepath.hooks.handover import handover_for, sync_for
from glidepath.hooks.prometheus import PrometheusHook

if TYPE_CHECKING:
    from glidepath.policy import Policy, ReleaseSpec
    from glidepath.ports import Ports
    from glidepath.release.run import Run


class Logger(Protocol):
    """What is logged to: the standard library's loggers, and Airflow's."""

    def info(self, msg: str, /) -> Any:
        """Log a line."""

    def debug(self, msg: str, /) -> Any:
        """Log a line that is asked for only now and then."""


def ports_for(policy: Policy, api_of: Callable[[str], Any] = kubernetes_api) -> Ports:
    """The ports of a policy's service, by its connections. Costs the import of the Kubernetes client: call it in a task, not at parsing.

    Args:
        policy: Which service.
        api_of: Gives the client of a cluster's connection.

    Raises:
        SetupError: A connection is missing, or leads nowhere.
    """
    from glidepath.wiring.ports import ports

    api, prometheus = api_of(policy.connections.kubernetes), PrometheusHook(policy.connections.prometheus)
    gitops = policy.gitops
    return ports(policy, api, prometheus.get_conn(), handover_for(gitops), sync_for(gitops, api))


def spec_of(identity: str) -> ReleaseSpec:
    """What a release was planned by, as `plan` froze it."""
    from glidepath.policy import ReleaseSpec
    from glidepath.record import Record

    return ReleaseSpec.from_dict(Record().get(identity).spec)


def load_run(identity: str, log: Logger, api_of: Callable[[str], Any] = kubernetes_api) -> Run:
    """A release as its tasks and triggers work with it; what it says goes to a log, the rest to its debug level.

    All of it is as `plan` froze it, its cluster included: who edits or breaks the policy's file in the middle of a
    release changes the next one. `api_of` as for `ports_for`.
    """
    from glidepath.release.run import Run

    spec = spec_of(identity)
    return Run(identity, spec, ports_for(spec, api_of), log.info, detail=log.debug)
