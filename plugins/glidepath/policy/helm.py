"""What a policy says of Helm: the service's release and its chart."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glidepath.policy.fields import Form, Name


class HelmRelease(Form):
    """Helm's release and chart of the service."""

    release: Name
    chart: str = Field(
        "include/helm-chart", description="Folder or packed file of the chart; relative to the checkout."
    )
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = Field(
        None, description="Pins a packed chart: another file is refused."
    )
