"""`python -m bench.shared`: queries, CPU and lag of many guards, as ratios to an earlier build, in one run.

Both builds, each in a process of its own and one after the other, watch the same services on one real Prometheus (the
sandbox's). Nothing is released: a guard here only fetches what it would judge.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.evidence.__main__ import REPO, checked_out, figures, prometheus
from bench.evidence.service import write
from bench.shared.measure import WARM_S
from bench.shared.services import SCRAPE_S, series

# The last build whose guards each asked for themselves.
EARLIER = "d55d4de"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--guards", type=int, default=100)
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--earlier", default=EARLIER, help="commit to compare with; empty: none")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as url:
        now = time.time()
        # Both builds' time, and that of their starts.
        last = now + 2 * (given.seconds + WARM_S + 60)
        count = write(url, series(given.guards, now - 12 * SCRAPE_S, min(last, now + 540)))
        print(f"{given.guards} guards, {count} series, a scrape every {SCRAPE_S:g} s")
        arguments = [url, str(given.guards), str(given.seconds)]
        here = figures(REPO, arguments, "shared")
        tell("this build", here)
        if given.earlier:
            with checked_out(given.earlier, Path(folder)) as earlier:
                then = figures(earlier, arguments, "shared")
            tell(given.earlier, then)
            queries, cpu = (then[what] / here[what] for what in ("queries", "cpu"))
            print(f"{queries:.1f} times fewer queries, {cpu:.1f} times less CPU")


def tell(who: str, found: dict[str, Any]) -> None:
    """What was measured."""
    lag = ", ".join(f"{one:.2f}" for one in found["lag"])
    print(
        f"{who}: a guard and minute: {found['queries']:.2f} queries, {1000 * found['cpu']:.1f} ms of CPU, "
        f"{found['bytes'] / 1000:.0f} kB, {found['looks']:.1f} looks; from sample to look {lag} s (half, 90 %, 99 %); "
        f"{found['memory'] / 1024:.0f} MB, {found['threads']} threads; {found['failed']} errors; {found['requests']:.1f} requests a look"
    )


if __name__ == "__main__":
    main()
