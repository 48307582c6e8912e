"""The trigger of a run that waits until no other release holds its service."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from glidepath.errors import ClaimHeldError, TemporaryError
from glidepath.triggers.events import ended
from glidepath.triggers.lanes import lane

log = logging.getLogger(__name__)

POLL_S = 2.0
# Several may wait for the same service; who claims first is decided by the Lease, but they need not all plan at once.
SPREAD_S = 3.0


class HeldTrigger(BaseTrigger):
    """Fires when the service is free, or when the time to wait for that is over.

    That the cluster, its connection or Airflow itself can't be asked is no reason to stop waiting.

    Args:
        release_id: Who waits.
        kubernetes_conn_id: Airflow connection of the cluster.
        namespace, service: What for.
        deadline: Until when, epoch seconds.
    """

    def __init__(self, release_id: str, kubernetes_conn_id: str, namespace: str, service: str, deadline: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id, self.kubernetes_conn_id, self.deadline = release_id, kubernetes_conn_id, deadline
        self.namespace, self.service = namespace, service
        self._connected: Any = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        names = ("release_id", "kubernetes_conn_id", "namespace", "service", "deadline")
        return "glidepath.triggers.queueing.HeldTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the Lease every two seconds."""
        thread = lane("held", self.kubernetes_conn_id)  # a cluster that does not answer is its own runs' matter
        while time.time() < self.deadline:
            if await thread(self._free):
                await asyncio.sleep(random.uniform(0, SPREAD_S))
                if await thread(self._free):
                    yield ended({"status": "free"})
                    return
            await asyncio.sleep(POLL_S)
        yield ended({"status": "over"})

    def _free(self) -> bool:
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            if self._connected is None:
                self._connected = self._claims()
            self._connected.check(self.release_id)
        except ClaimHeldError:
            return False
        except (TemporaryError, AirflowRuntimeError) as error:  # the last: of the cluster's connection
            log.warning("the claim could not be looked at, tried again: %s", error)
            self._connected = None  # with a connection that is read anew: its token may have been changed
            return False
        return True

    def _claims(self) -> Any:
        from glidepath.hooks.cluster import kubernetes_api
        from glidepath.wiring.cluster import claims

        return claims(kubernetes_api(self.kubernetes_conn_id), self.namespace, self.service)
