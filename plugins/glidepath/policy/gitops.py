"""What a policy says of a controller that owns the service's values: how a promotion is handed over to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glidepath.policy.fields import ConnId, Duration

# A promotion waits for the handover while the new version has all traffic.
LONGEST_S = 600.0
# A name of Kubernetes': parts of lower case letters, digits and dashes, with dots between them.
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
Argument = Annotated[str, Field(min_length=1, max_length=4096)]


class Pause(BaseModel):
    """What owns the service in Argo CD or Flux, and is paused while a release holds the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["Application", "HelmRelease", "Kustomization"]
    namespace: ObjectName
    name: ObjectName


class GitOps(BaseModel):
    """How whoever owns the service's values learns which version is the stable one, before a promotion is final."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    handover: Literal["none", "command", "webhook"] = Field(
        description="none: nobody is told, at one's own risk; command and webhook: who tells."
    )
    pause: Pause | None = Field(None, description="Whose sync is paused while a release holds the service.")
    command: tuple[Argument, ...] = Field(
        (), description="The program and its arguments; no shell. A path with a slash is relative to the checkout."
    )
    connection: ConnId | None = Field(None, description="Airflow's HTTP connection of the webhook.")
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$", max_length=500)] = Field(
        "/", description="The webhook's path, below that of the connection."
    )
    timeout: Duration = Field(60.0, description="Of one try.")
    tries: Annotated[int, Field(ge=1, le=10, strict=True)] = Field(3, description="How often it is asked at most.")

    @model_validator(mode="after")
    def _complete(self) -> GitOps:
        if (self.handover == "command") != bool(self.command):
            raise ValueError(
                "expected `command`, a list such as [include/handover/commit-values.sh, model-service.yaml], with "
                f"handover: command and only then; handover is {self.handover}"
            )
        if (self.handover == "webhook") != bool(self.connection):
            raise ValueError(
                "expected `connection`, the id of an HTTP connection of Airflow, with handover: webhook and only then; "
                f"handover is {self.handover}"
            )
        if self.timeout * self.tries > LONGEST_S:
            raise ValueError(
                f"timeout: {self.tries} tries of {self.timeout:.0f} s, expected at most {LONGEST_S:.0f} s in all: a "
                "promotion waits for them"
            )
        return self

    def located(self, root: Path) -> GitOps:
        """The same with the program as an absolute path if it is a path, a relative one taken from `root`."""
        if not self.command or "/" not in self.command[0]:
            return self
        return self.model_copy(update={"command": (str((root / self.command[0]).resolve()), *self.command[1:])})
