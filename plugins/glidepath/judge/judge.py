"""The judge: intervals in, a look each out. Pure and deterministic; the live gate and a replay are this same class."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glidepath.judge.apart import Apart
from glidepath.judge.counts import ArmCounts, Interval
from glidepath.judge.edges import Edges
from glidepath.judge.feasibility import growths
from glidepath.judge.metrics import kind_of
from glidepath.judge.plan import MetricPlan, Plan
from glidepath.judge.process import MetricProcess
from glidepath.judge.sample_ratio import SampleRatioTest
from glidepath.judge.settings import StepSettings
from glidepath.judge.silence import PART, Silence
from glidepath.judge.two_sided import TwoSided
from glidepath.judge.units import RATIO, unit_of
from glidepath.judge.values import Look, MetricLook, Verdict

MERGE_REQUESTS = 5
SUSPICIOUS = 5.0
SETTLE_SCRAPES = 2


@dataclass
class _Step:
    """The step in force; `counted` are the metrics that counted something for the canary in it."""

    number: int
    weight: int
    started: float
    requests: int = 0
    counted: set[str] = field(default_factory=set)


class Judge:
    """Judges one release.

    Args:
        plan: Frozen at plan time.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        settings = plan.settings
        # Only what can take a canary back shares in the chance of doing so falsely.
        alpha = (1.0 - PART) * settings.alpha / sum(metric.settings.decides for metric in plan.metrics)
        self._silence = Silence(PART * settings.alpha)
        changes = len(settings.steps) - 1

        def process(metric: MetricPlan) -> MetricProcess | TwoSided | Edges:
            made = Edges if metric.parts else TwoSided if kind_of(metric.settings).two_sided else MetricProcess
            return made(metric, plan.edges, alpha, settings.beta, changes)

        self._metrics = [process(metric) if metric.rest is None else Apart(metric, process) for metric in plan.metrics]
        self._step: _Step | None = None
        self._sample_ratio = SampleRatioTest(0.0, 1.0)
        self._pending: tuple[ArmCounts, ArmCounts, float] | None = None
        self._stable = self._canary = 0
        self._first: float | None = None
        self._failed: tuple[str, str] | None = None
        self._last: Look | None = None

    def look(self, interval: Interval) -> Look:
        """Take in the next interval and judge.

        Raises:
            ValueError: Its buckets don't fit the plan's edges.
        """
        buckets = len(self.plan.edges) + 1
        if {len(interval.stable.latency), len(interval.canary.latency)} != {buckets}:
            raise ValueError(
                f"latency buckets {len(interval.stable.latency)} and {len(interval.canary.latency)}, expected {buckets}"
            )
        step = self._enter(interval)
        self._stable += interval.stable.requests
        self._canary += interval.canary.requests
        step.requests += interval.canary.requests
        step.counted |= {
            metric.settings.name
            for metric in self.plan.metrics
            if kind_of(metric.settings).counted(metric.settings, interval.canary)
        }
        self._watch_silence(step, interval)
        if interval.end - step.started > SETTLE_SCRAPES * self.plan.settings.scrape_s:
            self._sample_ratio.feed(interval.canary.requests, interval.stable.requests)
        if not self._warming(interval.end):
            self._feed(interval)
        looks = tuple(process.look() for process in self._metrics)
        self._last = self._judged(interval, step, looks)
        return self._last

    def no_data(self, start: float, end: float, reason: str) -> Look:
        """The look for a time without telemetry: nothing is learned, nobody is blamed.

        Args:
            start: Since when, epoch seconds.
            end: Now, epoch seconds.
            reason: What is missing.
        """
        self._pending = None
        if self._last is None:
            step = self._step
            number, weight = (step.number, step.weight) if step else (0, 0)
            looks = tuple(process.look() for process in self._metrics)
            nothing = Verdict.NO_DATA
            return Look(max(start, end), number, weight, nothing, reason, False, False, False, 0, 0, 0, looks, "", None)
        if self._failed is not None:
            return self._last
        return self._last.without_data(max(start, end), reason)

    def _enter(self, interval: Interval) -> _Step:
        if self._first is None:
            self._first = interval.start
        number = interval.step or (self._step.number if self._step is not None else 1)
        if self._step is None or self._step.number != number:
            if self._step is not None:
                for process in self._metrics:
                    process.change_weight()
            self._step = _Step(number, interval.weight, interval.start)
            self._sample_ratio = SampleRatioTest(*self.plan.settings.shares(interval.weight))
            self._silence.restart()
            self._pending = None
        return self._step

    def _settings(self, step: _Step) -> StepSettings:
        steps = self.plan.settings.steps
        return steps[min(step.number, len(steps)) - 1]

    def _warming(self, at: float) -> bool:
        return self._first is not None and at - self._first <= self.plan.settings.warmup_s

    def _watch_silence(self, step: _Step, interval: Interval) -> None:
        seconds, shares = interval.end - interval.start, self.plan.settings.shares(step.weight)
        self._silence.feed(interval.canary.requests, interval.stable.requests, seconds, shares)
        least_s = (SETTLE_SCRAPES + 1) * self.plan.settings.scrape_s
        if self._failed is None and self._silence.proven(least_s):
            self._failed = ("canary_silent", "traffic")

    def _feed(self, interval: Interval) -> None:
        seconds = max(0.0, interval.end - interval.start)
        stable, canary = interval.stable, interval.canary
        if self._pending is not None:
            stable, canary = self._pending[0].plus(stable), self._pending[1].plus(canary)
            seconds += self._pending[2]
        if min(stable.requests, canary.requests) < MERGE_REQUESTS:
            self._pending = (stable, canary, seconds)
            return
        self._pending = None
        below = np.array((stable.latency, canary.latency), dtype=np.float64).cumsum(axis=1)
        for process in self._metrics:
            process.feed(stable, canary, below, seconds)

    def _judged(self, interval: Interval, step: _Step, looks: tuple[MetricLook, ...]) -> Look:
        deciders = [look for look in looks if look.role != "advisory"]
        worst = max(deciders, key=lambda look: look.harm_e / look.harm_threshold)
        if self._failed is None and worst.harm_e >= worst.harm_threshold:
            self._failed = ("harm_proven", worst.name)
        suspicious = any(look.harm_e >= SUSPICIOUS for look in deciders)
        safe = all(look.proven_safe for look in looks if look.role == "critical") and self._superior(looks)
        due = self._due(step, interval.end) and not suspicious and not self._sample_ratio.mismatch
        due = due and not self._warming(interval.end) and self._failed is None
        last = step.number >= len(self.plan.settings.steps)
        if self._failed is not None:
            verdict, (reason, deciding) = Verdict.FAIL, self._failed
        else:
            critical = [look for look in looks if look.role == "critical"]
            deciding = min(critical, key=lambda look: look.safety_e).name if critical else ""
            verdict = Verdict.PASS if last and due and safe else Verdict.UNDECIDED
            reason = "proven_safe" if verdict is Verdict.PASS else self._why(step, interval.end, looks)
        return Look(
            at=interval.end,
            step=step.number,
            weight=step.weight,
            verdict=verdict,
            reason=reason,
            suspicious=suspicious,
            proven_safe=safe,
            may_advance=due and not last,
            stable_requests=self._stable,
            canary_requests=self._canary,
            step_canary_requests=step.requests,
            metrics=looks,
            deciding=deciding,
            remaining_s=self._remaining(step, interval, looks) if verdict is Verdict.UNDECIDED and last else None,
        )

    def _superior(self, looks: tuple[MetricLook, ...]) -> bool:
        """For `decision: superior` some latency must be proven lower; whether it is, is told in any case."""
        return self.plan.settings.decision != "superior" or any(
            look.proven_better for look in looks if look.unit == RATIO.name
        )

    def _due(self, step: _Step, at: float) -> bool:
        settings = self._settings(step)
        return at - step.started >= settings.bake_s and step.requests >= settings.min_requests

    def _why(self, step: _Step, at: float, looks: tuple[MetricLook, ...]) -> str:
        if self._warming(at):
            return "warming_up"
        if step.requests >= max(1, self._settings(step).min_requests) and self._unseen(step):
            return "not_counted"
        if self._sample_ratio.mismatch:
            return "split_mismatch"
        critical = [look for look in looks if look.role == "critical" and not look.proven_safe]
        for reason in ("not_counted", "resolution_limited"):
            if any(look.note.startswith(reason) for look in critical):
                return reason
        settings = self._settings(step)
        if at - step.started >= settings.bake_s and step.requests < settings.min_requests:
            return "low_traffic"
        if any(_between(look) for look in critical) and at - step.started >= settings.bake_s:
            return "boundary"
        return "evidence_growing"

    def _unseen(self, step: _Step) -> bool:
        """Whether a critical metric counted nothing for the canary in this step."""
        critical = {metric.settings.name for metric in self.plan.metrics if metric.settings.role == "critical"}
        return not critical <= step.counted

    def _remaining(self, step: _Step, interval: Interval, looks: tuple[MetricLook, ...]) -> tuple[float, float] | None:
        """From the growth that a comparable canary would show at this interval's traffic; a range of a factor of two."""
        seconds = interval.end - interval.start
        if seconds <= 0 or min(interval.canary.requests, interval.stable.requests) == 0:
            return None
        n, m = interval.canary.requests / seconds, interval.stable.requests / seconds
        settings = self._settings(step)
        least = max(0.0, settings.bake_s - (interval.end - step.started))
        missing = [
            process
            for process, look in zip(self._metrics, looks, strict=True)
            if look.role == "critical" and not look.proven_safe
        ]
        if any(process.plan.safety < 0 for process in missing):
            return None
        if missing:
            rates = growths(n, m, [process.comparable() for process in missing])
            if rates.min() <= 0:
                return None
            least = max(
                least, *(process.seconds_left(float(rate)) for process, rate in zip(missing, rates, strict=True))
            )
        return (round(least / 2, 1), round(least * 2, 1))


def _between(look: MetricLook) -> bool:
    """Whether the effect seems to lie between what is harm and what is comparable."""
    if look.effect is None:
        return False
    if unit_of(look.unit).ratio:
        return look.limit / 1.04 < look.effect < look.limit * 1.04
    off = {"above": look.effect, "below": -look.effect, "both": abs(look.effect)}[look.sides]
    return look.limit < off < look.safe_limit
