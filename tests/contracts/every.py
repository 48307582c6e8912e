"""All that an implementation of the ports of a service has to keep: tests of each run the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contracts import claims, deploy, traffic
from tests.contracts.place import Place

Contract = Callable[[Place], None]
# Deploy comes first: on a real API server the others leave their tokens on what it makes.
CONTRACTS: tuple[Contract, ...] = (
    deploy.keeps,
    deploy.knows_a_version_by_its_image,
    claims.keeps,
    claims.lets_who_wants_it_refuse,
    traffic.keeps,
    traffic.names_what_is_around,
    traffic.holds_versions_one_by_one,
)
every_contract = pytest.mark.parametrize(
    "contract", CONTRACTS, ids=lambda contract: f"{contract.__module__.rpartition('.')[2]}-{contract.__name__}"
)
