"""The links between hosts: a bridge in the network namespace of all, a port for each host, and one for the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

BRIDGE, UPLINK, INSIDE = "bridge", "uplink", "eth0"
PREFIX = 26


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)


def within(host: str) -> list[str]:
    """What leads a command into a host's network namespace, seen from the first process'."""
    return ["nsenter", f"--net=/run/netns/{host}"]


def uplinked() -> bool:
    """Whether the machine has put its link into this namespace."""
    shown = subprocess.run(["ip", "link", "show", UPLINK], capture_output=True, check=False)
    return shown.returncode == 0


def join(network: Mapping[str, Any], hosts: Mapping[str, str]) -> None:
    """Make the bridge, and a namespace with a port for each host.

    Args:
        network: `machine` and `central`, addresses.
        hosts: Their addresses by their names.
    """
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
    _ip("link", "set", UPLINK, "master", BRIDGE, "up")
    _ip("link", "set", BRIDGE, "up")
    _ip("addr", "add", f"{network['central']}/{PREFIX}", "dev", BRIDGE)
    _ip("route", "add", "default", "via", network["machine"])
    for host, address in hosts.items():
        _ip("netns", "add", host)
        _ip("link", "add", host, "type", "veth", "peer", "name", INSIDE, "netns", host)
        _ip("link", "set", host, "master", BRIDGE, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"{address}/{PREFIX}", "dev", INSIDE),
            ("link", "set", INSIDE, "up"),
            ("route", "add", "default", "via", network["machine"]),
        ):
            subprocess.run([*within(host), "ip", *words], check=True)


def cut(init: int, host: str, down: bool) -> None:
    """Take a host's link down, or up again: what it sends is lost without a word.

    Args:
        init: The hosts' first process, as the machine numbers it.
        host: Its name.
        down: Whether the link is to be down.
    """
    enter = ["nsenter", "--target", str(init), "--net"]
    subprocess.run([*enter, "ip", "link", "set", host, "down" if down else "up"], check=True)
