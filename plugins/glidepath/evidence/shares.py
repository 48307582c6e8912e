"""The series of a source's shares."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from glidepath.evidence.once import each_once, unread
from glidepath.evidence.series import Reader, Series
from glidepath.evidence.source import Rule, ShareSeries, Source

Selected = dict[str, list[Series]]
# What uses are called after the name of their share; a sum counts no requests.
OF, EVENT, SUM = " of", " event", " sum"


def uses_of(share: ShareSeries) -> Iterator[tuple[str, str, Rule]]:
    """What a share counts its series for: the use's name, where they come from, and which of them."""
    yield f"{share.name}{OF}", share.of, share.among
    yield f"{share.name}{EVENT if share.sum_seconds is None else SUM}", share.events, share.event


def read_shares(
    prometheus: Reader,
    source: Source,
    requests: list[Series],
    window_s: float,
    at: float,
    step_s: float | None = None,
    read: Callable[[Series], bool] = unread,
) -> Selected:
    """The series of a source's shares, by selector; each is asked for once, and those of its requests not again.

    Args:
        prometheus, window_s, at, step_s: As `Prometheus.range_vector` has them.
        source: Which shares.
        requests: The series of its requests.
        read: As for `each_once`.

    Raises:
        EvidenceError: Prometheus did not answer, or a counter is there twice.
    """
    selected = {source.requests: requests}
    for selector in sorted(
        {place for share in source.shares for place in (share.of, share.events)} - {source.requests}
    ):
        (selected[selector],) = each_once(prometheus.range_vector(selector, window_s, at, step_s), read=read)
    return selected


def sums_of(source: Source, others: Selected, versions: Container[str]) -> Iterator[Series]:
    """Some versions' sums that means are made of; `others` as `read_shares` gives them."""
    for share in source.shares:
        if share.sum_seconds is not None:
            yield from (one for one in others[share.events] if one.labels.get(share.version_label) in versions)
