"""What a policy says of Airflow's assets: an event that starts a release, and one that a promotion makes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from glidepath.policy.fields import Form

# A name that is an asset's URI as well.
AssetName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_./-]*$", max_length=200)]


class Assets(Form):
    """Airflow's assets of a service."""

    start: AssetName | None = Field(
        None,
        description="An event of this asset starts a release; its extra has the run's parameters, such as version.",
    )
    promoted: AssetName | None = Field(
        None, description="A promotion that is final makes an event of this asset, once."
    )

    @model_validator(mode="after")
    def _are_two(self) -> Assets:
        if self.start is not None and self.start == self.promoted:
            raise ValueError(
                f"start and promoted are both {self.start}: each promotion would start a release; expected two"
            )
        return self
