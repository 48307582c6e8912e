"""The hosts and their addresses."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address, ip_network

import pytest

from rig.distributed.hosts import HOST, SLOTS, Network, address, free_network, hosts
from rig.distributed.links import PREFIX

SANDBOXES = ip_network("198.19.255.0/24")  # sandbox/network.py


def test_no_two_hosts_of_any_network_have_one_address_and_none_is_the_sandboxes() -> None:
    numbers = [1, 2, *(one.number for one in hosts())]
    found = [Network(slot).address(number) for slot in range(SLOTS) for number in numbers]
    assert len(set(found)) == len(found)
    assert not any(ip_address(one) in SANDBOXES for one in found)


@pytest.mark.parametrize("slot", range(SLOTS))
def test_all_hosts_of_a_network_are_in_it(slot: int) -> None:
    network = Network(slot)
    inside = ip_network(f"{network.machine}/{PREFIX}", strict=False)
    assert all(ip_address(network.address(one.number)) in inside for one in hosts())
    assert ip_address(network.central) in inside


def test_the_first_network_that_is_free_is_taken() -> None:
    assert free_network(set()) == Network(0)
    assert free_network({Network(0).machine, Network(2).machine}) == Network(1)


def test_that_all_are_taken_is_said() -> None:
    with pytest.raises(ValueError, match=r"all 4 networks .* expected one that is free"):
        free_network({Network(slot).machine for slot in range(SLOTS)})


def test_there_are_two_of_each_and_celery_tells_the_workers_apart() -> None:
    found = hosts()
    assert Counter(one.name.rpartition("-")[0] for one in found) == {"scheduler": 2, "worker": 2, "triggerer": 2}
    named = [one.command[one.command.index("--celery-hostname") + 1] for one in found if "celery" in one.command]
    assert named == ["celery@worker-1", "celery@worker-2"]


def test_a_host_is_known_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOST, "198.19.254.12")
    assert address() == "198.19.254.12"
