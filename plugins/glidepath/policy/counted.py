"""What a policy has counted: names of metrics and labels, and where versions and pods stand among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from glidepath.policy.fields import Form
from glidepath.policy.labels import EXACT, PATTERN, Identifier, Labels, check

MetricName = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$", max_length=200)]
LabelOfPods = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9._/-]*[a-zA-Z0-9])?$", max_length=300)]

# What stands for a name in the value of a label.
PLACE = re.compile(r"\{([a-z_]+)\}")
OF_SERVICE, OF_VERSION = ("service", "namespace"), ("service", "namespace", "version", "workload")


def filled(value: str, names: Mapping[str, str]) -> str:
    """The pattern that a label's whole value must match, with the placeholders of `labels` filled in.

    Args:
        value: Such as `{workload}`, or `=~.*{service}`.
        names: By what stands for it, the name as it is.
    """
    is_pattern = value.startswith(PATTERN)
    text = value.removeprefix(PATTERN) if is_pattern else value.removeprefix(EXACT)
    parts = []
    # Every second part is what stands for a name.
    for number, part in enumerate(PLACE.split(text)):
        if number % 2:
            parts.append(re.escape(names[part]))
        else:
            parts.append(part if is_pattern else re.escape(part))
    return f"(?:{''.join(parts)})" if is_pattern else "".join(parts)


def _placed(value: str, known: tuple[str, ...]) -> str:
    unknown = [place for place in PLACE.findall(value) if place not in known]
    if unknown:
        expected = ", ".join(f"{{{place}}}" for place in known)
        raise ValueError(f"{value!r}: {{{unknown[0]}}} stands for nothing; expected {expected} or none")
    return value


def _of_service(labels: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    for values in labels.values():
        for value in [values] if isinstance(values, str) else values:
            _placed(value, OF_SERVICE)
    return labels


Where = Annotated[Labels, AfterValidator(_of_service)]


class Latency(Form):
    """A histogram of latency, classic or native."""

    histogram: MetricName = Field(description="Its name, without `_bucket`.")
    unit: Literal["seconds", "milliseconds"] = "seconds"
    among: Labels = Field(default_factory=dict, description="Which of its series count: those of successful requests.")
    binned: bool = Field(False, description="Envoy counts it, in bins of two digits.")

    @model_validator(mode="after")
    def _bare(self) -> Latency:
        for end in ("_bucket", "_count", "_sum"):
            if self.histogram.endswith(end):
                raise ValueError(
                    f"histogram: given {self.histogram!r}, expected {self.histogram.removesuffix(end)!r}: its name without {end}"
                )
        return self


class VersionPlace(Form):
    """Where the version is: in a label of the series, in the pod's name, or in a label of the pod."""

    label: Identifier | None = Field(None, description="A label of the series.")
    value: str = Field(
        "{version}",
        max_length=500,
        description="What this label has: {version}, {service} and {namespace} stand for names, {workload} for that of the version's "
        "Deployment, <service>-<version>; `=~` marks a pattern.",
    )
    pod_name: bool = Field(
        False, description="The pod's name: <service>-<version>-..., as the Deployments and StatefulSets are called."
    )
    pod_label: LabelOfPods | None = Field(None, description="A label of the pod; kube-state-metrics tells it.")
    pods: Where = Field(
        default={"app": "{service}"},
        description="With pod_label: the labels of the service's pods, as kube_pod_labels has them without `label_`.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> VersionPlace:
        if [self.label is not None, self.pod_name, self.pod_label is not None].count(True) != 1:
            raise ValueError(
                "expected one of `label: NAME` (of the series), `pod_name: true` and `pod_label: NAME` (by kube_pod_labels)"
            )
        _placed(self.value, OF_VERSION)
        if "{version}" not in self.value and "{workload}" not in self.value:
            raise ValueError(
                f"value: given {self.value!r}, expected {{version}} or {{workload}} in it: else no two versions differ"
            )
        return self

    @field_validator("value")
    @classmethod
    def _as_it_seems(cls, value: str, info: ValidationInfo) -> str:
        if (info.context or {}).get("written"):
            check("value", value)
        return value


# What has to be said, by a policy or by its source.
COMPLETE = ("requests", "errors", "version")


class Counted(Form):
    """What is counted. What is not said here is as the source has it."""

    requests: MetricName | None = Field(None, description="Counter of requests; a histogram's `_count` is one.")
    where: Where | None = Field(
        None, description="Labels of the series that are this service's; {service} and {namespace} stand for its names."
    )
    errors: Labels | None = Field(None, description="Labels of the requests that are errors; `=~5..` is a pattern.")
    good: Labels | None = Field(None, description="Labels of those that are successful: what shares are taken among.")
    client_errors: Labels | None = Field(
        None, description="Labels of those that the caller is to blame for, such as 4xx: judged as a share."
    )
    ignore: Labels | None = Field(None, description="Labels of requests that are nobody's, such as probes.")
    latency: Latency | None = None
    version: VersionPlace | None = None
    pod: Identifier | None = Field(None, description="The label that names the pod; `pod` if empty.")
    seen_by: Literal["service", "callers"] | None = Field(
        None, description="Who counts: the service's own pods, or its callers' (a mesh, an ingress)."
    )

    def over(self, under: Counted) -> Counted:
        """This, and where it says nothing what another says."""
        own = {name: getattr(self, name) for name in Counted.model_fields if getattr(self, name) is not None}
        return under.model_copy(update=own)
