"""The sandbox's addresses, all out of 198.18.0.0/15, the block for test networks.

Pods and services live inside the network namespace and may be the same in every sandbox. The host is touched by one
veth pair only; its /30 is the first free one out of 198.19.255.0/24, starting at a place keyed by the state folder.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from sandbox.common import SandboxError, run

PODS = "198.18.0.0/18"
NODE_PODS = "198.18.0.0/24"
SERVICES = "198.18.128.0/20"
API_SERVICE = "198.18.128.1"
DNS_SERVICE = "198.18.128.10"
SLOTS = 63


@dataclass(frozen=True)
class Slot:
    """One /30: the host's end and the sandbox's end."""

    number: int

    @property
    def host(self) -> str:
        """The host's address."""
        return f"198.19.255.{4 * self.number + 1}"

    @property
    def inside(self) -> str:
        """The node's address, where the API server and Prometheus listen."""
        return f"198.19.255.{4 * self.number + 2}"

    @property
    def interface(self) -> str:
        """The host's end of the veth pair."""
        return f"glidepath{self.number}"


def choose(taken: set[str], key: str) -> Slot:
    """The first free slot, starting where the key says.

    Raises:
        SandboxError: All are taken.
    """
    first = int(hashlib.sha256(key.encode()).hexdigest(), 16) % SLOTS
    for offset in range(SLOTS):
        slot = Slot((first + offset) % SLOTS)
        if slot.host not in taken:
            return slot
    raise SandboxError(f"all {SLOTS} sandbox networks of 198.19.255.0/24 are taken; end one: python3 -m sandbox down")


def addresses() -> set[str]:
    """Every IPv4 address the host has now."""
    shown = json.loads(run(["ip", "-j", "-4", "addr"]) or "[]")
    return {str(one["local"]) for link in shown for one in link.get("addr_info", []) if "local" in one}


def connect(slot: Slot, init: int, inside: list[str]) -> None:
    """Make the veth pair between the host and the namespace of `init`; `inside` is how commands get in there."""
    disconnect(slot)
    inner = "uplink"
    run(["ip", "link", "add", slot.interface, "type", "veth", "peer", "name", inner, "netns", str(init)])
    run(["ip", "addr", "add", f"{slot.host}/30", "dev", slot.interface])
    run(["ip", "link", "set", slot.interface, "up"])
    run([*inside, "ip", "addr", "add", f"{slot.inside}/30", "dev", inner])
    run([*inside, "ip", "link", "set", "lo", "up"])
    run([*inside, "ip", "link", "set", inner, "up"])
    run([*inside, "ip", "route", "add", "default", "via", slot.host])
    run([*inside, "sysctl", "-qw", "net.ipv4.ip_forward=1"])


def disconnect(slot: Slot) -> None:
    """Take the host's end away; gone already is fine."""
    if Path(f"/sys/class/net/{slot.interface}").exists():
        run(["ip", "link", "del", slot.interface])
