"""What can't have happened is no evidence, and people are told what does such things."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from glidepath.errors import EvidenceError
from glidepath.evidence.counters import FALLS, FALLS_S
from glidepath.evidence.pace import SLACK
from glidepath.evidence.series import Key, Series

# Times the planned traffic, beyond which an interval is no evidence.
PLANNED_TIMES = 10.0


def explained(falls: Mapping[Key, int], once: bool = False) -> None:
    """Make sure that no process' counters fell without a restart.

    Args:
        falls: By process, how often they did lately.
        once: Whether a single fall is no matter, as in a long past.

    Raises:
        EvidenceError: Names the pods, and what does such things.
    """
    often = max(falls.values(), default=0)
    if not often or (once and often < FALLS):
        return
    pods = ", ".join(sorted({dict(name).get("pod", "?") for name in falls}))
    if often < FALLS:
        raise EvidenceError(
            f"the counters of pod {pods} fell, and neither to near zero, as by a restart, nor by a request or two: what was "
            "counted in this time is not known"
        )
    raise EvidenceError(
        f"the counters of pod {pods} fall again and again without a restart ({often} times within {FALLS_S:.0f} s): several "
        "processes answer in turn behind one /metrics, as workers of gunicorn or uwsgi do, or replicas behind one address, or "
        "send under one identity. Let the workers add up what they count (prometheus_client: multiprocess mode), have each "
        "scraped by itself, or give each its own `service.instance.id` (OTLP)"
    )


def as_planned(requests: int, seconds: float, planned_per_s: float) -> None:
    """Make sure that an interval has not many times the traffic that the release was planned with.

    Args:
        requests: Of both versions; `seconds`: in what time.
        planned_per_s: Requests a second; 0 where nobody planned.

    Raises:
        EvidenceError: Says both.
    """
    if planned_per_s and requests > PLANNED_TIMES * planned_per_s * seconds + SLACK:
        raise EvidenceError(
            f"{requests} requests were counted in {seconds:.0f} s, the release was planned at {planned_per_s:.1f} requests a "
            f"second: more than {PLANNED_TIMES:.0f} times as many is no evidence. If there is so much traffic now, start the "
            "release anew"
        )


def no_numbers(sums: Iterable[Series], until: Callable[[Series], float]) -> list[Series]:
    """The sums of which something new is no finite number; `until`: until when each was read, epoch seconds."""
    return [
        counter for counter in sums
        if any(at > until(counter) and not math.isfinite(value) for at, value in counter.samples)
    ]  # fmt: skip


def are_numbers(odd: Sequence[Series]) -> None:
    """Make sure that all sums are numbers: by one that is none a mean would seem to be zero.

    Args:
        odd: Those that are none.

    Raises:
        EvidenceError: Names the pods, and what does such things.
    """
    if odd:
        pods = ", ".join(sorted({counter.labels.get("pod", "?") for counter in odd}))
        raise EvidenceError(
            f"{odd[0].labels.get('__name__', 'a sum')} of pod {pods} was not a finite number: the process observed a value that "
            "is none, and its mean is not known until it restarts. Mend what it observes; in the past that a release is planned "
            "by, wait until `evidence.baseline` is over, or shorten it"
        )
