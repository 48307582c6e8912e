"""`python -m tests.mutants`: does a test notice when the judge is made wrong?

Each mutant is the judge with one line changed for the worse: a wrong sign, a dropped clip, a wrong edge. The judge's tests
run against a copy of the repository with it; one that they don't notice is named, and the command fails.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
JUDGE = "plugins/glidepath/judge"
COPIED = ("plugins", "tests", "pyproject.toml", "bench")
TESTS = "tests/unit/judge"
# The quick ones that notice most; then all.
FIRST = tuple(
    f"{TESTS}/{name}.py"
    for name in ("behaviour/test_promise", "behaviour/test_properties", "test_cap", "test_mixture", "test_plan")
)


class Mutant(NamedTuple):
    """A file of the judge, what it says, what it would say if it were wrong, and which test of it is quick to notice.

    Those with a test are unit tests, too, marked `long`.
    """

    file: str
    right: str
    wrong: str
    test: str = ""


MUTANTS = (
    # Wrong signs.
    Mutant("evalue.py", "x * np.log(c / pc)", "x * np.log(pc / c)", "behaviour/test_promise.py"),
    Mutant("evalue.py", "linear = d - share * c", "linear = -d - share * c"),
    Mutant("evalue.py", "value = value + y * np.log(s / ps)", "value = value - y * np.log(s / ps)"),
    Mutant("evalue.py", "(m - y) * np.log((1.0 - s) / (1.0 - ps))", "(m + y) * np.log((1.0 - s) / (1.0 - ps))"),
    Mutant("evalue.py", "(ps if b is None else b * ps) + d, LEAST)", "(ps if b is None else b * ps) - d, LEAST)"),
    Mutant("evalue.py", "return np.asarray(value - np.max", "return np.asarray(value + np.max"),
    Mutant("bets.py", "return canary - stable - self.margins", "return canary - stable + self.margins"),
    Mutant("bets.py", "else stable * self.slopes + self.margins", "else stable + self.margins"),
    Mutant("evalue.py", "(ps if b is None else b * ps) + d", "ps + d"),
    Mutant("evalue.py", "(slope if b is None else b * slope)", "slope", "test_evalue.py"),
    Mutant("edges.py", " + math.log(part.weight)", "", "test_edges.py"),
    Mutant("edges.py", "np.min([safety for", "np.max([safety for", "test_edges.py"),
    Mutant("edges.py", "process.follow(null.margins, null.slopes)", "pass", "test_edges.py"),
    Mutant("edges.py", "min([safety[self.plan.safety], *lines])", "max([safety[self.plan.safety], *lines])", "test_edges.py"),
    Mutant("edges.py", "other.follow(*line)", "pass", "test_edges.py"),
    Mutant("survival.py", "none = slopes + margins / (REACH * share)", "none = slopes", "test_survival.py"),
    Mutant("survival.py", " + self._rest * grows", "", "test_survival.py"),
    Mutant("survival.py", "slower - slope * share, slope", "slower - share, slope", "test_survival.py"),
    Mutant("metrics/latency.py", "max(near, key=telling.__getitem__", "min(near, key=telling.__getitem__", "metrics/test_latency.py"),
    Mutant("metrics/latency.py", "if part.edge in safe else -1", "if part.edge == own else -1", "metrics/test_latency.py"),
    Mutant("metrics/exceedance.py", "edges[place] / value for value", "edges[place] * value for value"),
    Mutant("apart.py", "harm_e=every.harm_e", "harm_e=rest.harm_e", "test_outliers.py"),
    Mutant("apart.py", "self._rest.feed(rest, canary", "self._rest.feed(stable, canary", "test_outliers.py"),
    Mutant("two_sided.py", "(of - events, of)", "(events, of)", "test_two_sided.py"),
    Mutant("two_sided.py", "(_negative(look.high), _negative(look.low))", "(look.low, look.high)"),
    Mutant("sample_ratio.py", "canary * up + stable * down", "canary * up - stable * down"),
    # Dropped clips, caps, corrections.
    Mutant("evalue.py", "np.maximum(left * (1.0 - ps), -left * ps)", "0.0 * left", "test_evalue.py"),
    Mutant("cap.py", "np.minimum(gains, np.maximum(np.minimum(short, long), 0.0))", "gains", "test_cap.py"),
    Mutant("cap.py", "SHORT_SHARE, LONG_SHARE = 0.6, 0.8", "SHORT_SHARE, LONG_SHARE = 0.6, 2.0"),
    Mutant("mixture.py", "share = min(share, self._cash)", "share = float(share)"),
    Mutant("mixture.py", "self._cash -= share", "pass"),
    Mutant("mixture.py", "math.log(self._cash)", "-1e9 * self._cash", "test_mixture.py"),
    Mutant("bets.py", "np.minimum(np.maximum(base, self._least), self._most)", "np.asarray(base)"),
    Mutant("process.py", "gains /= self.plan.phi", "gains *= self.plan.phi"),
    Mutant("dispersion.py", "math.sqrt(spread)) ** 3)", "math.sqrt(spread)) ** 2)", "test_dispersion.py"),
    Mutant("latent.py", "grown[:, 1:] - grown[:, :1]", "grown[:, :1] - grown[:, 1:]", "test_moods.py"),
    Mutant("latent.py", "log_harm[row] = min(", "log_harm[row] = max(", "test_moods.py"),
    Mutant("latent.py", "n - events, m - y, 1.0 - canary", "events, y, 1.0 - canary", "test_moods.py"),
    Mutant("moods.py", "np.log(n * ratios / m) + self.grid", "np.log(m * ratios / n) + self.grid", "test_moods.py"),
    Mutant("moods.py", "self._weights += (1.0 - stays)[:, None] * self._fresh", "pass", "test_moods.py"),
    Mutant("moods.py", "np.log1p(np.expm1(sigma**2) / pods)", "np.log1p(np.expm1(sigma**2) / pods**2)", "test_moods.py"),
    Mutant("process.py", "return Posed(", "self._base.see(counts[1], counts[3], 5.0); return Posed(", "behaviour/test_promise.py"),
    Mutant("evalue.py", "bool(asked.s.min() > 0.5)", "False", "test_evalue.py"),
    Mutant("gains.py", " * possible", ""),
    Mutant("gains.py", "* _part(most, both)", "", "test_gains.py"),
    Mutant("gains.py", " + odds * x / np.maximum(both, 1.0)", "", "test_gains.py"),
    Mutant("gains.py", "np.minimum(counted, left)", "counted", "test_gains.py"),
    Mutant("base.py", "counted = np.minimum(events, most)", "counted = events", "test_base.py"),
    Mutant("base.py", "self._shaken = beyond", "self._shaken = self._shaken | beyond", "test_base.py"),
    Mutant("mixture.py", "self._log_value - np.maximum(over, 0.0)", "self._log_value", "test_mixture.py"),
    Mutant("two_sided.py", "each = alpha / max(1, len(plan.sides))", "each = alpha"),
    Mutant("judge.py", "settings.alpha / sum(metric.settings.decides for metric in plan.metrics)", "settings.alpha", "test_two_sided.py"),
    Mutant("judge.py", "worst.harm_e >= worst.harm_threshold", "worst.harm_e >= 10.0"),
    # Wrong edges and margins.
    Mutant("metrics/errors.py", "margins.index(harm), margins.index(safety), harm, safety)", "margins.index(safety), margins.index(harm), harm, safety)"),
    Mutant("metrics/latency.py", "below[1, rows]", "below[1, rows - 1]"),
    Mutant("metrics/latency.py", "below[0, metric.edge]", "below[0, metric.edge + 1]", "test_edges.py"),
    # Wrong intervals, forgotten restarts.
    Mutant("bounds.py", "low = max(low, values[plan.harm])", "pass"),
    Mutant("bounds.py", "high = min(high, values[plan.safety])", "pass"),
    Mutant("bounds.py", "values[lower - 1] if lower", "values[lower] if lower"),
    Mutant("bounds.py", "values[-upper] if upper", "values[-upper - 1] if upper", "behaviour/test_properties.py"),
    Mutant("process.py", "        self._restart()\n\n    def _start_harm", "\n    def _start_harm", "test_judge.py"),
    Mutant("judge.py", "look.harm_e >= SUSPICIOUS", "False"),
)  # fmt: skip


def text(mutant: Mutant) -> str:
    """The mutated file.

    Raises:
        ValueError: What it changes is not in the file exactly once.
    """
    said = (ROOT / JUDGE / mutant.file).read_text()
    if (times := said.count(mutant.right)) != 1:
        raise ValueError(f"{mutant.file}: {mutant.right!r} is there {times} times, expected once")
    return said.replace(mutant.right, mutant.wrong)


def noticed(mutant: Mutant, tests: Sequence[str] = (*FIRST, TESTS)) -> bool:
    """Whether the judge's tests fail with it.

    Raises:
        RuntimeError: They neither passed nor failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            source, target = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        (Path(folder) / JUDGE / mutant.file).write_text(text(mutant))
        asked = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--ignore={TESTS}/behaviour/test_mutations.py",
            *tests,
        ]
        environment = {**os.environ, "PYTHONPATH": f"{folder}/plugins:{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(asked, cwd=folder, env=environment, capture_output=True, text=True)
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {ended.returncode}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return ended.returncode == 1


def noticed_somewhere(mutant: Mutant) -> bool:
    """Whether any of the judge's tests notices it; the quick one is asked first."""
    return bool(mutant.test and noticed(mutant, [f"{TESTS}/{mutant.test}"])) or noticed(mutant)


def main() -> int:
    """Try all of them; as many are left as the exit code says."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose file or change contains this")
    asked = parser.parse_args()
    chosen = [one for one in MUTANTS if asked.only in f"{one.file} {one.wrong}"]
    if noticed(Mutant("cap.py", "MOST = 64", "MOST = 64  # as it was")):
        print("the tests fail without a mutant")
        return 1
    left = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for one, found in zip(chosen, pool.map(noticed_somewhere, chosen), strict=True):
            left += not found
            print(
                f"{'noticed ' if found else 'SURVIVED'}  {one.file}: {one.right.strip()!r} -> {one.wrong.strip()!r}",
                flush=True,
            )
    print(f"{len(chosen) - left} of {len(chosen)} mutants noticed")
    return left


if __name__ == "__main__":
    sys.exit(main())
