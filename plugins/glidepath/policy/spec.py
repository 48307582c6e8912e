"""A release's spec: the policy with one run's parameters laid over it, frozen in the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from glidepath.errors import PolicyError
from glidepath.policy.fields import Duration, Form, Name
from glidepath.policy.helm import CHART_VERSION
from glidepath.policy.load import told
from glidepath.policy.model import MAX_STEPS, Policy, Step, never_falling
from glidepath.policy.versions import Image, Version, image_of, name_of


class RunParams(Form):
    """What a run may say. None: as the policy has it."""

    version: Version | None = None
    weights: (
        Annotated[list[Annotated[int, Field(ge=1, le=99, strict=True)]], Field(min_length=1, max_length=MAX_STEPS)]
        | None
    ) = None
    bake: Duration | None = None
    tolerance: Annotated[float, Field(gt=1, le=3)] | None = None
    decision: Literal["non-inferior", "superior"] | None = None
    dry_run: Annotated[bool, Field(strict=True)] = False
    override_freeze: Annotated[str, Field(min_length=8, max_length=500)] | None = None

    @model_validator(mode="after")
    def _weights_never_fall(self) -> RunParams:
        never_falling(self.weights or [])
        return self


class ReleaseSpec(Policy):
    """Everything a release was started with.

    Attributes:
        version: The version's name in the cluster (`policy.versions`).
        tag, digest: Of its image, where the name does not say it.
    """

    version: Name
    tag: str | None = None
    digest: str | None = None
    dry_run: bool = False
    override_freeze: str | None = None

    @model_validator(mode="after")
    def _image_can_be_said(self) -> ReleaseSpec:
        if (
            self.digest is not None
            and self.helm.per_version
            and not self.helm.chart_is_released
            and self.helm.paths.digest is None
        ):
            raise ValueError(
                f"version: {self.digest} is a digest, and helm.paths.digest does not say where the chart takes one; expected a tag, "
                "or the path"
            )
        return self

    @model_validator(mode="after")
    def _chart_can_be_said(self) -> ReleaseSpec:
        if self.helm.chart_is_released and not re.fullmatch(CHART_VERSION, self.chart_version):
            raise ValueError(
                f"version: {self.digest or self.chart_version} is no chart's version; helm.version: released expects one such as 1.4.2 "
                "or 2024.11.27-rc.1+build"
            )
        return self

    @property
    def chart_version(self) -> str:
        """The version as its chart has it; where that is what is released. Of an image's tag `_` was a `+`."""
        return (self.tag or self.version).replace("_", "+")

    @property
    def image(self) -> Image:
        """The version's image, as far as its name does not say it."""
        return Image(self.tag, self.digest)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReleaseSpec:
        """Back from `to_dict`.

        Raises:
            PolicyError: The values are of another form, such as one written by another version of the code.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise PolicyError(f"the recorded spec can't be read: {told(error)}") from error


def for_run(policy: Policy, params: Mapping[str, Any]) -> ReleaseSpec:
    """A policy with a run's parameters.

    Args:
        policy: The service's policy.
        params: version, weights, bake, tolerance, decision, dry_run, override_freeze; None or absent: the policy's.

    Raises:
        PolicyError: A parameter is unknown or not valid, or no version is named.
    """
    try:
        wanted = RunParams.model_validate({key: value for key, value in params.items() if value is not None})
    except ValidationError as error:
        known = ", ".join(RunParams.model_fields)
        raise PolicyError(
            f"the run's parameters are refused; nothing was touched. Known are {known}.\n{told(error)}"
        ) from error
    version = wanted.version or policy.version
    if version is None:
        raise PolicyError(
            f"no version to release: the run names none and the policy of {policy.service} has no `version`; "
            'nothing was touched. Start the run with {"version": "v2"} or set `version` in the policy'
        )
    image = image_of(version)
    changes: dict[str, Any] = {"version": name_of(version), "tag": image.tag, "digest": image.digest}
    changes |= {"dry_run": wanted.dry_run, "steps": _steps(policy, wanted)}
    changes["override_freeze"] = wanted.override_freeze
    changes["evidence"] = policy.evidence.frozen()
    if wanted.decision is not None:
        changes["decision"] = wanted.decision
    if wanted.tolerance is not None:
        changes["metrics"] = [metric.tolerating(wanted.tolerance) for metric in policy.metrics]
    values = {name: getattr(policy, name) for name in Policy.model_fields}
    try:
        return ReleaseSpec.model_validate({**values, **changes})
    except ValidationError as error:
        raise PolicyError(f"policy and parameters don't fit; nothing was touched.\n{told(error)}") from error


def _steps(policy: Policy, params: RunParams) -> list[Step]:
    """The policy's steps. A run's own weights take bake and requests from the step in the same place, or from the last."""
    steps = policy.steps
    if params.weights is not None:
        like = [policy.steps[min(place, len(policy.steps) - 1)] for place in range(len(params.weights))]
        steps = [step.model_copy(update={"weight": weight}) for step, weight in zip(like, params.weights, strict=True)]
    if params.bake is not None:
        steps = [step.model_copy(update={"bake": params.bake}) for step in steps]
    return steps
