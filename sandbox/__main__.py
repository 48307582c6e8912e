"""`python3 -m sandbox COMMAND`: the embedded cluster."""

from __future__ import annotations

import argparse
import os
import sys

from sandbox import addons, build, cluster, host, images
from sandbox.common import SandboxError, cache, run, say, state

SHOWN = ("KUBECONFIG", "PROMETHEUS_URL", "GATEWAY_URL", "HELM", "KUBECTL")


def _own() -> bool:
    """Whether the user brings a cluster.

    Raises:
        SandboxError: The environment does not say where it is.
    """
    if os.environ.get("GLIDEPATH_CLUSTER") != "own":
        return False
    missing = [name for name in ("KUBECONFIG", "PROMETHEUS_URL") if not os.environ.get(name)]
    if missing:
        raise SandboxError(f"GLIDEPATH_CLUSTER=own needs {' and '.join(missing)} in the environment")
    return True


def _env() -> int:
    if _own():
        details = dict(os.environ)
    else:
        details = cluster.about()
        if "GATEWAY_URL" not in details:
            raise SandboxError("no cluster is up; start it: python3 -m sandbox up")
    for name in SHOWN:
        if name in details:
            print(f"export {name}={details[name]}")
    return 0


def _status() -> int:
    init = cluster.init_pid()
    print(f"state {state()}\ncache {cache()}\ninit  {init or 'not running'}")
    if init is None:
        return 1
    details = cluster.about()
    ok = cluster.healthy()
    print(f"ready {'yes' if ok else 'no'}")
    print(addons.Kubectl(details)("get", "pods", "-A") if ok else "see: python3 -m sandbox logs")
    return 0 if ok else 1


def _build() -> int:
    host.packages()
    cluster.built()
    images.system()
    images.applications()
    say(f"built: {build.folder()}")
    return 0


def _load() -> int:
    if not cluster.healthy():
        raise SandboxError("no cluster is up; start it: python3 -m sandbox up")
    addons.load(images.applications())
    return 0


def _logs(names: list[str]) -> int:
    folder = state() / "logs"
    if not folder.exists():
        raise SandboxError("no cluster was started; start it: python3 -m sandbox up")
    for file in sorted(folder.glob("*.log")):
        if not names or file.stem in names:
            print(f"==> {file.stem}")
            print(run(["tail", "-n", "40", str(file)]))
    return 0


def main() -> int:
    """Parse the command line and run; 2 when something is missing, with a sentence that says what to do."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox", description="a real cluster on one Linux machine")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "build what is missing and start"),
        ("down", "end it and leave nothing behind"),
        ("status", "what runs"),
        ("kubeconfig", "print the kubeconfig's path"),
        ("env", "print the environment as shell lines"),
        ("build", "only build"),
        ("load", "bring new application images in"),
    ):
        commands.add_parser(name, help=text)
    commands.add_parser("logs", help="the components' last lines").add_argument("component", nargs="*")
    given = parser.parse_args()
    try:
        if given.command in ("up", "down"):
            if _own():
                say("GLIDEPATH_CLUSTER=own: the cluster is yours, nothing to start or end")
                return 0
            host.require_root()
            {"up": cluster.up, "down": cluster.down}[given.command]()
            return 0
        if given.command == "kubeconfig":
            print(cluster.about().get("KUBECONFIG") or "no cluster is up; start it: python3 -m sandbox up")
            return 0
        if given.command == "logs":
            return _logs(given.component)
        return {"status": _status, "env": _env, "build": _build, "load": _load}[given.command]()
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("sandbox: interrupted; run the same command again, it goes on where it stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
