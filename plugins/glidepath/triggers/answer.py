"""The trigger that waits for a person's answer, and for the release's end without one.

Airflow parks a task that asks until it is answered or its time is over. A release that goes back meanwhile, for proven harm or by
somebody's word, would keep the service for as long; so this one waits for that as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.hitl import HITLTrigger, HITLTriggerEventSuccessPayload
from airflow.sdk.execution_time.hitl import update_hitl_detail_response
from airflow.sdk.timezone import utcnow
from airflow.triggers.base import TriggerEvent
from asgiref.sync import sync_to_async

from glidepath.errors import RecordError
from glidepath.triggers.lanes import lane
from glidepath.triggers.marks import marks

if TYPE_CHECKING:
    from glidepath.record.reading import Mark


class AnswerTrigger(HITLTrigger):
    """Ends with the answer, at the end of its time with the default, or with `unasked` once the release goes back.

    Args:
        release_id: The release in the record.
        unasked: The option that is taken when there is nothing to ask any more.
        arguments: As Airflow's trigger takes it.
    """

    def __init__(self, *, release_id: str, unasked: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.release_id, self.unasked = release_id, unasked
        self._known: Mark | None = None
        self._back = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        _, arguments = super().serialize()
        own = {"release_id": self.release_id, "unasked": self.unasked}
        return "glidepath.triggers.answer.AnswerTrigger", {**arguments, **own}

    async def _handle_response(self) -> TriggerEvent | None:
        answered: TriggerEvent | None = await super()._handle_response()  # type: ignore[no-untyped-call]
        if answered is not None or not await self._goes_back():
            return answered
        self.log.info("the release goes back: nobody is asked any more")
        closed = await sync_to_async(update_hitl_detail_response)(
            ti_id=self.ti_id, chosen_options=[self.unasked], params_input={}
        )
        return TriggerEvent(
            HITLTriggerEventSuccessPayload(
                chosen_options=[self.unasked],
                params_input={},
                responded_at=closed.responded_at or utcnow(),
                responded_by_user=None,
                timedout=False,
            )
        )

    async def _goes_back(self) -> bool:
        """Whether the release goes back; what it goes by is read where the record has something new."""
        try:
            mark = await marks()(self.release_id)
            if self._known is None or mark != self._known:
                self._back = await lane("record")(self._taken_back)
                self._known = mark
        except RecordError as error:  # asked again in a moment
            self.log.error("whether the release goes back can't be read: %s", error)
        return self._back

    def _taken_back(self) -> bool:
        from glidepath.record import Record
        from glidepath.release.journal import Journal

        return Journal(Record(), self.release_id).taken_back()
