"""Tasks that need their service to be free."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from glidepath.operators.base import ReleaseOperator, release_id

if TYPE_CHECKING:
    from airflow.sdk import Context

    from glidepath.policy import Policy
    from glidepath.triggers.events import Told

GRACE_S = 60.0


class WaitsForClaim(ReleaseOperator):
    """A task that another release can keep from its work; with `on_held: wait` it then waits, deferred, for its end."""

    def work(self, context: Context) -> Any:
        """Do it, or begin to wait."""
        return self._once_free(context, None)

    def resume(self, context: Context, event: Told, deadline: float) -> Any:  # noqa: ARG002 - Airflow's call
        """Do it now, or go on waiting: somebody else may have been first."""
        with self.final(context):
            return self._once_free(context, deadline)

    def attempt(self, context: Context) -> Any:
        """What this task does; raises ClaimHeldError when another release holds the service."""
        raise NotImplementedError

    def policy(self, context: Context) -> Policy:
        """What says whether and for how long it waits."""
        raise NotImplementedError

    def _once_free(self, context: Context, deadline: float | None) -> Any:
        from glidepath.errors import ClaimHeldError
        from glidepath.triggers.queueing import HeldTrigger

        try:
            return self.attempt(context)
        except ClaimHeldError as error:
            policy = self.policy(context)
            on_held = policy.on_held
            if on_held.action == "refuse" or context["params"].get("dry_run"):
                raise
            now = time.time()
            deadline = deadline or now + on_held.limit
            if now >= deadline:
                raise ClaimHeldError(f"waited {on_held.limit:.0f} s (on_held.limit): {error}") from error
            self.log.info("%s: waits for its end, at most %.0f s: %s", self.task_id, deadline - now, error)
        trigger = HeldTrigger(
            release_id(context), policy.connections.kubernetes, policy.namespace, policy.service, deadline
        )
        timeout = timedelta(seconds=deadline - now + GRACE_S)
        self.defer(trigger=trigger, method_name="resume", kwargs={"deadline": deadline}, timeout=timeout)
        return None
