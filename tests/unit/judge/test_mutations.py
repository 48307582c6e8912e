"""Whether the judge's tests notice what would break its promise: a wrong sign, a dropped clip, a wrong edge.

Each mutant is a copy of the package with one piece of its text changed; the tests named with it have to fail on it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MUTANTS = {
    "wrong sign of the canary's events": ("evalue.py", "x * np.log(c / pc)", "x * np.log(pc / c)", "test_evalue.py"),
    "what the projection lacks is kept": (
        "evalue.py", "value - np.maximum(left * (1.0 - ps), -left * ps)", "value", "test_evalue.py",
    ),
    "dropped clip of a bet's gains": (
        "budget.py", "np.minimum(gains, np.maximum(np.minimum(short, long), 0.0))", "gains", "test_budget.py",
    ),
    "wrong edge of the stable's slow requests": (
        "process.py", "everybody - float(below[0, self.plan.edge])", "everybody - float(below[0, self.plan.edge + 1])",
        "test_judge.py",
    ),
    "the lower side judged as the upper": ("sides.py", "(of - events, of)", "(events, of)", "test_sides.py"),
    "the chance not shared among metrics": (
        "judge.py", "settings.alpha / sum(one.settings.decides for one in plan.metrics)", "settings.alpha", "test_sides.py",
    ),
    "cash forgotten": ("mixture.py", "np.logaddexp(bets, math.log(self._cash)", "np.logaddexp(bets, -1e9 * (self._cash)", "test_mixture.py"),
    "safety kept over a change of weight": ("process.py", "        self._restart()\n\n    def _restart", "\n    def _restart", "test_judge.py"),
}  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTANTS)
def test_the_tests_notice(name: str, tmp_path: Path) -> None:
    file, text, instead, tests = MUTANTS[name]
    copy = tmp_path / "plugins"
    shutil.copytree(ROOT / "plugins", copy, ignore=shutil.ignore_patterns("__pycache__"))
    mutant = copy / "glidepath" / "judge" / file
    source = mutant.read_text()
    assert source.count(text) == 1, f"{file} has {text!r} {source.count(text)} times: mend this test"
    mutant.write_text(source.replace(text, instead))
    options = ["-q", "-x", "-p", "no:cacheprovider", "-o", f"pythonpath={copy} {ROOT}"]
    command = [sys.executable, "-m", "pytest", *options, f"tests/unit/judge/{tests}"]
    env = {**os.environ, "PYTHONPATH": f"{copy}:{ROOT}", "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 1, f"nobody noticed; {done.stdout[-2000:]}{done.stderr[-500:]}"
    assert "no tests ran" not in done.stdout
