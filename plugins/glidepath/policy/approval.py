"""What a policy says of people whose word a release needs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from glidepath.policy.fields import Duration, Form

# Airflow keeps 128 characters of a user's id.
User = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")]


class Approval(Form):
    """When a person is asked, who may answer, and what holds if nobody does."""

    before: Literal["promotion"] | None = Field(
        None,
        description="promotion: a version that is proven comparable waits at its weight for a person's word. Null: nobody is "
        "asked but by `on_undecided: hold` and `on_no_data`.",
    )
    timeout: Annotated[Duration, Field(le=7 * 86400)] = Field(3600.0, description="For an answer; then `unanswered`.")
    unanswered: Literal["rollback", "approve"] = Field(
        "rollback", description="Of a version that is proven comparable. One that is not goes back in any case."
    )
    by: tuple[User, ...] = Field(
        (), max_length=50, description="Airflow's users who may answer; empty: whoever may edit the DAG's runs."
    )

    @field_validator("by")
    @classmethod
    def _each_once(cls, users: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(users)) != len(users):
            raise ValueError(f"{list(users)} has one twice; expected each user once")
        return users
