"""What a policy says of people whose word a release needs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from glidepath.policy.fields import Duration, Form

# Airflow keeps 128 characters of a user's id.
User = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")]


def _one_or_several(schema: dict[str, Any]) -> dict[str, Any]:
    """A list's schema that allows one of its items alone, or null."""
    several = {name: schema.pop(name) for name in ("items", "type", "maxItems") if name in schema}
    return {"anyOf": [several, several["items"], {"type": "null"}]}


class Approval(Form):
    """When a person is asked, who may answer, and what holds if nobody does."""

    before: tuple[Literal["traffic", "promotion"], ...] = Field(
        (),
        description="traffic: a version whose pods are ready waits without requests for a person's word. promotion: one that is "
        "proven comparable waits at its weight. Or both. Null: nobody is asked but by `on_undecided: hold` and `on_no_data`.",
        json_schema_extra=lambda schema: schema.update(_one_or_several(schema)),
    )
    timeout: Annotated[Duration, Field(le=7 * 86400)] = Field(3600.0, description="For an answer; then `unanswered`.")
    unanswered: Literal["rollback", "approve"] = Field(
        "rollback",
        description="Of a version that is proven comparable. One that is not, or has no requests yet, goes back in any case.",
    )
    by: tuple[User, ...] = Field(
        (), max_length=50, description="Airflow's users who may answer; empty: whoever may edit the DAG's runs."
    )

    @field_validator("before", mode="before")
    @classmethod
    def _one_is_enough(cls, given: object) -> object:
        if given is None:
            return ()
        return (given,) if isinstance(given, str) else given

    @field_validator("before", "by")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) != len(values):
            raise ValueError(f"{list(values)} has one twice; expected each once")
        return values
