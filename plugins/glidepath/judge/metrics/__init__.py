"""The kinds of metrics that the judge knows."""

from glidepath.judge.metrics.base import Kind
from glidepath.judge.metrics.errors import Errors
from glidepath.judge.metrics.exceedance import Exceedance
from glidepath.judge.metrics.latency import Latency
from glidepath.judge.metrics.mean import Mean
from glidepath.judge.metrics.share import Share
from glidepath.judge.metrics.slow import Slow
from glidepath.judge.settings import MetricSettings

KINDS: dict[str, Kind] = {kind.name: kind for kind in (Errors(), Share(), Latency(), Slow(), Exceedance(), Mean())}


def kind_of(settings: MetricSettings) -> Kind:
    """The kind of a metric.

    Raises:
        ValueError: There is none of this name.
    """
    try:
        return KINDS[settings.kind]
    except KeyError:
        raise ValueError(
            f"metric {settings.name}: kind {settings.kind!r}, expected one of {', '.join(KINDS)}"
        ) from None


__all__ = ["KINDS", "Kind", "kind_of"]
