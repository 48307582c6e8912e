"""What a policy says of Helm: the service's release and its chart."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationInfo, model_validator

from glidepath.policy.fields import Form, HelmName

# A path into a chart's values, as `helm --set` writes it; keys with dots and items of lists are out of its reach.
ValuePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=200)]

REGISTRY = "oci://"
# Host, port and path, without a tag and a digest; as registries have it.
IN_REGISTRY = r"^oci://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$"
# An exact version as Helm has it: SemVer, no range.
CHART_VERSION = r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
# What stands for the version that a run names.
RELEASED: Literal["released"] = "released"


class ValuePaths(Form):
    """Where a chart's values have what its versions differ by. The defaults are those of `helm create`."""

    name: ValuePath = Field("fullnameOverride", description="What the chart calls its objects.")
    tag: ValuePath = Field("image.tag", description="The tag of the image.")
    digest: ValuePath | None = Field(
        None, description="The digest of the image, sha256:...; without it no digest can be released."
    )
    replicas: ValuePath | None = Field(
        "replicaCount", description="Replicas; null where the chart leaves them to an autoscaler."
    )

    @model_validator(mode="after")
    def _apart(self) -> ValuePaths:
        for path, other in permutations(self.taken, 2):
            if f"{other}.".startswith(f"{path}."):
                raise ValueError(
                    f"paths: {path} and {other}: one would overwrite the other; expected paths that lie apart"
                )
        return self

    @property
    def taken(self) -> tuple[str, ...]:
        """The paths that Glidepath writes."""
        return tuple(path for path in (self.name, self.tag, self.digest, self.replicas) if path is not None)


class HelmForm(Form):
    """Helm's release and chart of the service; or, `per_version`, a release of the chart for each version."""

    release: HelmName = Field(description="Helm's release; with per_version, that of the routes.")
    chart: str = Field(
        "include/helm-chart",
        description="Folder or packed file of the chart, relative to the checkout; or oci://HOST/PATH/NAME of one in a registry.",
    )
    version: Annotated[str, Field(pattern=rf"^({RELEASED}|{CHART_VERSION})$", max_length=128)] | None = Field(
        None,
        description="The chart's version: in the registry, or of the packed file <chart>-<version>.tgz; released: the one that a run "
        "names.",
    )
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = Field(
        None, description="Pins a packed chart, or one in a registry as `helm push` says it: another one is refused."
    )
    plain_http: bool = Field(False, description="The registry speaks HTTP without TLS.")
    per_version: bool = Field(
        False,
        description="Each version is a Helm release of its own, <service>-<version>, of a chart that knows nothing of Glidepath.",
    )
    values: dict[str, JsonValue] = Field(
        default_factory=dict, description="The chart's values for the version that is released, with per_version."
    )
    paths: ValuePaths = Field(default_factory=ValuePaths)
    routes: str = Field(
        "include/charts/routes", description="The chart of the name that callers use, with per_version."
    )

    @model_validator(mode="after")
    def _is_somewhere(self, info: ValidationInfo) -> HelmForm:
        if self.in_registry and not re.match(IN_REGISTRY, self.chart):
            raise ValueError(
                f"chart: given {self.chart!r}: expected oci://HOST/PATH/NAME, with the version in `version` and the digest in `digest`"
            )
        if self.in_registry and self.version is None and self.digest is None:
            raise ValueError("version: none for a chart in a registry; expected one such as 1.4.2, or `digest`")
        if self.plain_http and not self.in_registry:
            raise ValueError(
                f"plain_http: {self.chart} is in no registry; expected a chart that begins with {REGISTRY}"
            )
        if self.version != RELEASED:
            return self
        if not self.per_version:
            raise ValueError(f"version: {RELEASED} is only for per_version: true; expected the chart's own version")
        if self.digest is not None and (info.context or {}).get("written"):
            raise ValueError(
                f"digest: pins one chart, and version: {RELEASED} has another each time; expected one of both"
            )
        if (self.paths.tag, self.paths.digest) != (ValuePaths().tag, None):
            raise ValueError(
                f"paths: with version: {RELEASED} the chart says which image; expected no tag and no digest"
            )
        return self

    @model_validator(mode="after")
    def _fits(self) -> HelmForm:
        if not self.per_version:
            for name in ("values", "paths", "routes"):
                if name in self.model_fields_set and getattr(self, name) != type(self).model_fields[name].get_default(
                    call_default_factory=True
                ):
                    raise ValueError(
                        f"{name}: only for per_version: true; expected the values in Helm's release {self.release}"
                    )
            return self
        if "chart" not in self.model_fields_set:
            raise ValueError("per_version: expected `chart`, the service's own, such as charts/shop")
        for path in self.written:
            if written(self.values, path):
                raise ValueError(
                    f"values: {path} is written for each version; expected it left out, or another `paths` in its place"
                )
            if (way := blocked(self.values, path)) is not None:
                raise ValueError(
                    f"values: {way} is no map, and {path} is to be written below it; expected a map, or none"
                )
        return self

    @property
    def in_registry(self) -> bool:
        """Whether the chart is in a registry."""
        return self.chart.startswith(REGISTRY)

    @property
    def chart_is_released(self) -> bool:
        """Whether the version that a run names is the chart's, and the chart says which image that is."""
        return self.version == RELEASED

    @property
    def written(self) -> tuple[str, ...]:
        """The paths that Glidepath writes in a version's values."""
        return tuple(path for path in self.paths.taken if not (self.chart_is_released and path == self.paths.tag))

    def located(self, root: Path) -> HelmForm:
        """The same with its charts as absolute paths, relative ones taken from `root`; what is in a registry stays."""
        names = [*([] if self.in_registry else ["chart"]), *(["routes"] if self.per_version else [])]
        return self.model_copy(update={name: str((root / getattr(self, name)).resolve()) for name in names})


def written(values: dict[str, Any], path: str) -> bool:
    """Whether there is something at a path."""
    at: Any = values
    for key in path.split("."):
        if not isinstance(at, dict) or key not in at:
            return False
        at = at[key]
    return True


def blocked(values: dict[str, Any], path: str) -> str | None:
    """Where the way to a path ends in what has nothing below it; None where it leads there."""
    keys, at = path.split("."), values
    for number, key in enumerate(keys[:-1], 1):
        if at.get(key) is None:
            return None
        at = at[key]
        if not isinstance(at, dict):
            return ".".join(keys[:number])
    return None
