"""The hosts of a distributed Airflow, their addresses, and what runs on each.

All out of 198.19.254.0/24, beside the sandbox's 198.19.255.0/24 in the block for test networks: a /26 a set of hosts.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

SLOTS = 4
BROKER, DATABASE = "broker", "database"
HOST = "GLIDEPATH_HOST"
INTERFACE = "glidehosts"


@dataclass(frozen=True)
class Network:
    """One /26: the machine's end, the central host, and the others.

    Attributes:
        slot: Which of the four.
    """

    slot: int

    def address(self, number: int) -> str:
        """An address by its number in the network."""
        return f"198.19.254.{64 * self.slot + number}"

    @property
    def machine(self) -> str:
        """The machine's end: the way to the cluster."""
        return self.address(1)

    @property
    def central(self) -> str:
        """Where database, broker, API server and DAG processor are."""
        return self.address(2)

    @property
    def interface(self) -> str:
        """The machine's end of the veth pair."""
        return f"{INTERFACE}{self.slot}"


def free_network(taken: Collection[str]) -> Network:
    """The first network that no interface of this machine has an address of.

    Raises:
        ValueError: All are taken.
    """
    for slot in range(SLOTS):
        if Network(slot).machine not in taken:
            return Network(slot)
    raise ValueError(f"all {SLOTS} networks of 198.19.254.0/24 are taken; expected one that is free: end what uses it")


@dataclass(frozen=True)
class Host:
    """A host with one component of Airflow.

    Attributes:
        name: The component and its number, such as `triggerer-1`.
        number: Its address' number in the network.
        command: What runs there.
    """

    name: str
    number: int
    command: tuple[str, ...]


def hosts(each: int = 2) -> list[Host]:
    """So many schedulers, Celery workers and triggerers, a host each."""
    found: list[Host] = []
    for kind, command in (
        ("scheduler", ("airflow", "scheduler")),
        ("worker", ("airflow", "celery", "worker", "--concurrency", "2")),
        ("triggerer", ("airflow", "triggerer")),
    ):
        for number in range(1, each + 1):
            name = f"{kind}-{number}"
            more = ("--celery-hostname", f"celery@{name}") if kind == "worker" else ()
            found.append(Host(name, 10 + len(found), (*command, *more)))
    return found


def address() -> str:
    """This host's address, as Airflow's `[core] hostname_callable`.

    Raises:
        KeyError: It is called outside of a host.
    """
    return os.environ[HOST]
