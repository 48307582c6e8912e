"""Builds what a policy's gitops part names: whom to tell of a promotion, and whose sync to pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from glidepath.errors import SetupError
from glidepath.hooks.http import address_of

if TYPE_CHECKING:
    from glidepath.handover import Handover, Sync
    from glidepath.policy.gitops import GitOps


def handover_for(gitops: GitOps | None) -> Handover | None:
    """Whom a policy names to tell of a promotion; None for nobody."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from glidepath.handover import Command, Webhook

    if gitops is None or gitops.handover == "none":
        return None
    if gitops.handover == "command":
        return Command(gitops.command, gitops.tries, gitops.timeout)
    name, path = str(gitops.connection), gitops.path

    def address() -> tuple[str, dict[str, str]]:
        try:
            connection = BaseHook.get_connection(name)
        except AirflowNotFoundException:
            connection = None
        if connection is None or not connection.host:
            raise SetupError(
                f"connection {name!r} is none, or has no host; expected that of the webhook (gitops.connection). Set "
                f"AIRFLOW_CONN_{name.upper()}=https://bot.example.com or edit it under Admin > Connections"
            )
        url, headers = address_of(connection)
        return f"{url}{path}".rstrip("/") if path == "/" else f"{url}{path}", headers

    return Webhook(address, gitops.tries, gitops.timeout)


def sync_for(gitops: GitOps | None, api: Any) -> Sync | None:
    """Whose sync a policy has paused while a release holds the service; None for nobody's."""
    from glidepath.handover import Sync

    if gitops is None or gitops.pause is None:
        return None
    return Sync(api, gitops.pause.kind, gitops.pause.namespace, gitops.pause.name)
