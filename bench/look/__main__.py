"""`python -m bench.look`: the processor time of a look, as ratios to an earlier build, in one run on one machine.

Both builds, each in a process of its own and one after the other, watch the same services by a clock that is set by hand,
before an API server and a Prometheus in memory (`bench.scale.standins`); both have to record the same looks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.evidence.__main__ import checked_out
from bench.scale.__main__ import REPO, environment
from bench.scale.servers import Cluster
from bench.scale.standins import standins

# The last build before looks were made cheap.
EARLIER = "8dbde19"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--guards", type=int, default=50)
    asked.add_argument("--looks", type=int, default=30, help="of each guard, that are measured")
    asked.add_argument("--memory", action="store_true", help="what guards keep, instead of what looks take")
    asked.add_argument("--earlier", default=EARLIER, help="commit to compare with; empty: none")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        builds = {"this build": REPO}
        if given.earlier:
            builds = {given.earlier: opened.enter_context(checked_out(given.earlier, Path(folder))), **builds}
        served, url = opened.enter_context(standins(Path(folder), given.guards))
        begin = float(round(time.time()))
        found = {}
        for name, tree in builds.items():
            home = Path(folder) / name.replace(" ", "-")
            home.mkdir()
            what = {
                "folder": str(home),
                "count": given.guards,
                "looks": given.looks,
                "memory": given.memory,
                "begin": begin,
            }
            found[name] = _figures(tree, home, served, url, what)
    tell(found)
    if len({one["told"] for one in found.values()}) > 1:
        raise SystemExit("the builds recorded other looks than one another")


def _figures(tree: Path, home: Path, served: Cluster, url: str, given: dict[str, Any]) -> dict[str, Any]:
    around = environment(tree, home, served, url) | {"PYTHONPATH": f"{tree / 'plugins'}:{REPO}"}
    command = [sys.executable, "-m", "bench.look.measure", json.dumps(given)]
    answer = subprocess.run(command, env=around, cwd=home, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def tell(found: dict[str, dict[str, Any]]) -> None:
    """A line for each of what was measured: each build's figure, and what part of the earlier one's it is."""
    print(", ".join(found))
    if "memory" in next(iter(found.values())):
        _line("memory a guard, kB", [build["memory"] / 1e3 for build in found.values()])
        for size, where in list(found.values())[-1]["made"]:
            print(f"    {size / 1e3:8.1f} kB {where}")
        return
    _line("a look, ms", [build["look"] * 1e3 for build in found.values()])
    parts = dict.fromkeys(part for build in found.values() for part in build["parts"])
    for part in sorted(parts, key=lambda part: -next(iter(found.values()))["parts"].get(part, 0.0)):
        _line(f"  {part}", [build["parts"].get(part, 0.0) * 1e3 for build in found.values()])
    print("all recorded the same" if len({build["told"] for build in found.values()}) == 1 else "RECORDED OTHERWISE")


def _line(words: str, figures: list[float]) -> None:
    ratio = f"  {figures[-1] / figures[0]:.3f} of it" if len(figures) == 2 and figures[0] else ""
    print(f"{words:24}: {', '.join(f'{figure:7.2f}' for figure in figures)}{ratio}")


if __name__ == "__main__":
    main()
