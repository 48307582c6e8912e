"""`python -m bench.evidence`: the cost of the stable's past and of a look, as ratios to an earlier build, in one run.

Both builds, each in a process of its own, ask one real Prometheus (that of the sandbox) about the same samples. The earlier
build is checked out beside this one for the time of the run.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench.evidence.service import Size, series, write
from sandbox.build import binaries

# The last build before counts had to be possible: it differenced every series, and asked for all of them.
EARLIER = "7417cb7"
REPO = Path(__file__).parents[2]


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--pods", type=int, default=30)
    asked.add_argument("--routes", type=int, default=10)
    asked.add_argument("--buckets", type=int, default=15)
    asked.add_argument("--past", type=float, default=1800.0, help="seconds of the stable's past")
    asked.add_argument("--looks", type=int, default=40)
    asked.add_argument("--repeats", type=int, default=3, help="of baseline(); the quickest counts")
    asked.add_argument("--earlier", default=EARLIER, help="commit to compare with; empty: none")
    given = asked.parse_args()
    size = Size(given.pods, given.routes, given.buckets, given.past, given.looks)
    first_look = round(time.time() - size.looks * 5 - 10)
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as url:
        count = write(url, series(size, first_look))
        print(f"{size.pods} pods, {size.routes} routes, {size.buckets} buckets: {count} series")
        arguments = [url, str(first_look), str(given.past), str(given.looks)]
        now = figures(REPO, [*arguments, str(given.repeats)])
        tell("this build", now)
        if given.earlier:
            with checked_out(given.earlier, Path(folder)) as earlier:
                then = figures(earlier, [*arguments, "1"])
            tell(given.earlier, then)
            compare(then, now)


@contextmanager
def prometheus(folder: Path, config: str = "{}") -> Iterator[str]:
    """A Prometheus of its own on loopback; its URL. `config` is the text of its configuration."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    (folder / "prometheus.yml").write_text(config)
    command = [
        str(binaries() / "prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
        "--web.enable-otlp-receiver", "--log.level=error",
    ]  # fmt: skip
    process, url = subprocess.Popen(command), f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if requests.get(f"{url}/-/ready", timeout=1).ok:
                    break
            except requests.ConnectionError:
                pass
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """A work tree of a commit, removed at the end."""
    tree = folder / "earlier"
    git = ["git", "-C", str(REPO), "worktree"]
    subprocess.run([*git, "add", "--detach", "--quiet", str(tree), commit], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def figures(tree: Path, arguments: list[str], bench: str = "evidence") -> dict[str, Any]:
    """What a build measures of itself, by a module `measure` of this build's bench."""
    environment = os.environ | {"PYTHONPATH": f"{tree / 'plugins'}:{REPO}"}
    command = [sys.executable, "-m", f"bench.{bench}.measure", *arguments]
    answer = subprocess.run(command, env=environment, cwd=REPO, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def tell(who: str, found: dict[str, Any]) -> None:
    """A line for each of what was measured."""
    for what in ("baseline", "dearest look", "look"):
        cpu, wall, size = (found[what][one] for one in ("cpu", "wall", "bytes"))
        print(f"{who}: {what}: {cpu:.4f} s of CPU, {wall:.4f} s, {size / 1e6:.3f} MB of answers")


def compare(then: dict[str, Any], now: dict[str, Any]) -> None:
    """The ratios; ends with an error where the builds did not count the same."""
    for what in ("baseline", "look"):
        cpu, wall, size = (then[what][one] / now[what][one] for one in ("cpu", "wall", "bytes"))
        print(f"{what}: {cpu:.1f} times less CPU, {wall:.1f} times quicker, {size:.1f} times smaller answers")
    if then["counted"] != now["counted"]:
        raise SystemExit(f"the builds counted differently: {then['counted']} and {now['counted']}")
    print("both counted the same")


if __name__ == "__main__":
    main()
