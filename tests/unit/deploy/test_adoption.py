"""The way from plain Helm to a Helm release per version and back: after each act callers are answered, whatever they know."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glidepath.deploy.adoption import Adoption
from glidepath.deploy.adoption_plan import BEFORE
from glidepath.deploy.mapped import Mapped
from glidepath.errors import PreflightError
from glidepath.policy import Image
from glidepath.policy.helm import ValuePaths
from tests.unit.deploy.shop import OLD, CutOffError, Live, Routes, Shop, Versions, Workloads


def adoption(shop: Shop) -> Adoption:
    mapped = Mapped("shop", {"port": 80}, ValuePaths())
    routes, plain = Routes(shop), Routes(shop, plain=True)
    return Adoption(mapped, Versions(shop), routes, plain, Live(shop), Workloads(), 10.0, 30.0, say=lambda _: None)


def forth(shop: Shop) -> None:
    adoption(shop).forth("v1", Image())


def back(shop: Shop) -> None:
    adoption(shop).back()


@pytest.fixture(params=["Deployment", "StatefulSet"])
def shop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """By plain Helm."""
    made = Shop(kind=request.param)
    monkeypatch.setattr("glidepath.deploy.adoption.time.sleep", lambda seconds: made.waits(seconds))
    return made


def is_adopted(shop: Shop) -> bool:
    return (set(shop.pods), shop.selector, shop.weights) == ({"shop-v1-66dc-gjxz4"}, {"app": "shop"}, (("v1", 100),))


def is_plain(shop: Shop) -> bool:
    return (set(shop.pods), shop.selector, shop.weights, shop.kept) == ({"shop-5d4f-x2k9q"}, OLD, None, set())


def test_callers_are_answered_all_the_way_and_back(shop: Shop) -> None:
    forth(shop)
    assert is_adopted(shop)
    back(shop)
    assert is_plain(shop)
    forth(shop)
    assert is_adopted(shop)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("first", [forth, back])
@pytest.mark.parametrize("then", [forth, back])
def test_whatever_was_cut_off_either_command_goes_on(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[Shop], None], then: Callable[[Shop], None], kind: str
) -> None:
    for acts in range(100):
        shop = Shop(kind=kind)
        monkeypatch.setattr("glidepath.deploy.adoption.time.sleep", shop.waits)
        if first is back:
            forth(shop)
        shop.left = acts
        try:
            first(shop)
        except CutOffError:
            shop.left = 1000
            begun = bool(shop.values.get("roles")) or first is back
            if then is back and not begun and not Versions(shop).there():
                continue
            then(shop)
            assert is_adopted(shop) if then is forth else is_plain(shop), acts
        else:
            assert acts > 4
            return
    raise AssertionError("it never got through")


def test_without_a_fence_and_with_other_values_nothing_is_touched(shop: Shop) -> None:
    shop.fence, shop.values, shop.left = False, {"image": {"tag": "v1"}, "port": 81}, 0
    with pytest.raises(PreflightError, match=r"its fence is not there.*port: 81 runs, the policy says 80"):
        forth(shop)
    with pytest.raises(PreflightError, match="no version that Glidepath made"):
        back(shop)


def test_a_fence_that_knows_no_statefulsets_is_to_be_renewed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        PreflightError, match="its fence, of an earlier Glidepath, keeps nobody from a StatefulSet: helm"
    ):
        forth(Shop(kind="StatefulSet", fenced=("deployments",), left=0))
    shop = Shop(fenced=("deployments",))
    monkeypatch.setattr("glidepath.deploy.adoption.time.sleep", shop.waits)
    forth(shop)
    assert is_adopted(shop)


def test_the_name_of_the_pods_of_before_is_no_version(shop: Shop) -> None:
    shop.left = 0
    with pytest.raises(PreflightError, match="'before' can't be adopted"):
        adoption(shop).forth(BEFORE, Image())


@pytest.mark.parametrize(("stable", "canary"), [("v1", "v2"), ("v2", "")])
def test_a_service_with_another_version_is_left_alone(shop: Shop, stable: str, canary: str) -> None:
    forth(shop)
    shop.values = {**shop.values, "roles": {"stable": stable, "canary": canary}}
    shop.left = 0
    with pytest.raises(PreflightError, match=f"adopted already, with the stable version {stable}"):
        forth(shop)
    if canary:
        with pytest.raises(PreflightError, match="has the canary v2"):
            back(shop)
    assert BEFORE not in shop.values["roles"].values()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(shop: Shop) -> None:
    def told(would: Callable[[Adoption], str]) -> str:
        shop.left = 0  # any act fails
        try:
            return would(adoption(shop))
        finally:
            shop.left = 1000

    def there(one: Adoption) -> str:
        return one.forth_would("v1", Image())

    assert told(there) == "shop: shop-v1 would be installed beside shop, get all requests, and shop go"
    with pytest.raises(PreflightError, match="no version that Glidepath made"):
        told(Adoption.back_would)
    shop.left = 6
    with pytest.raises(CutOffError):
        forth(shop)
    assert told(there) == "shop: its adoption as v1 would go on"
    forth(shop)
    assert told(there) == "shop: is adopted as v1 already"
    assert told(Adoption.back_would) == "shop: shop would be installed, get all requests, and the pods of v1 go"
    with pytest.raises(PreflightError, match="adopted already, with the stable version v1"):
        told(lambda one: one.forth_would("v2", Image()))
    shop.fence = False
    back(shop)
    with pytest.raises(PreflightError, match="its fence is not there"):
        told(there)
