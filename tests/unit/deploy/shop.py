"""A service that runs by plain Helm, its callers, and all that an adoption acts on, in memory.

A caller knows what was there when the command last waited for it, or what is there now: both have to lead to pods, and only
to pods that every caller has known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from glidepath.deploy import HelmRelease, Preview, Readiness

OLD, NEW = {"name": "shop"}, {"app": "shop", "version": "v1"}
Object = dict[str, Any]


class CutOffError(Exception):
    """The command ended here."""


@dataclass(frozen=True)
class Known:
    """What leads callers: the Service's pods, the subsets, and the weights of the routes, None without routes."""

    pods: frozenset[str]
    subsets: frozenset[str]
    weights: tuple[tuple[str, int], ...] | None


@dataclass
class Shop:
    """A cluster with a service that runs by plain Helm. `left` acts are carried out, then the command ends."""

    pods: dict[str, dict[str, str]] = field(default_factory=lambda: {"shop-5d4f-x2k9q": dict(OLD)})
    selector: dict[str, str] = field(default_factory=lambda: dict(OLD))
    subsets: frozenset[str] = frozenset()
    weights: tuple[tuple[str, int], ...] | None = None
    values: dict[str, Any] = field(default_factory=lambda: {"image": {"tag": "v1"}, "port": 80})
    revisions: list[list[Object]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    fence: bool = True
    fenced: tuple[str, ...] = ("deployments", "statefulsets")
    kind: str = "Deployment"
    left: int = 1000

    def __post_init__(self) -> None:
        self.revisions.append(plain(self.kind))
        self.known = self.now()

    def now(self) -> Known:
        pods = {name for name, labels in self.pods.items() if self.selector.items() <= labels.items()}
        return Known(frozenset(pods), self.subsets, self.weights)

    def act(self) -> None:
        """One more act; callers are answered after each."""
        if self.left == 0:
            raise CutOffError
        self.left -= 1

    def answered(self) -> None:
        now = self.now()
        for route in {now.weights, self.known.weights}:
            if route is None:
                served = now.pods
                assert served
                assert served <= self.known.pods, "pods get requests that not every caller knows"
            for subset, weight in route or ():
                if weight:
                    assert subset in now.subsets & self.known.subsets, f"{subset} is not known to every caller"
                    served = frozenset(one for one in now.pods if self.pods[one].get("version") == subset)
                    assert served, f"{subset} has no pods"
                    assert served <= self.known.pods, "pods get requests that not every caller knows"

    def waits(self, seconds: float) -> None:
        assert seconds == 30.0
        self.known = self.now()


def plain(kind: str) -> list[Object]:
    """What the chart makes under the service's own name."""
    return made("shop", OLD, kind)


def made(name: str, labels: Mapping[str, str], kind: str) -> list[Object]:
    template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": [{"image": "shop:v1"}]}}
    workload = {"replicas": 1, "selector": {"matchLabels": dict(labels)}, "template": template}
    service = {"selector": dict(labels), "ports": [{"name": "http", "port": 80}]}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": service},
        {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": workload},
    ]


class Routes:
    """Helm's release of the service as that of the routes, or as `plain` of its chart."""

    release = "shop"

    def __init__(self, shop: Shop, plain: bool = False) -> None:
        self.shop, self.plain = shop, plain

    def status(self) -> HelmRelease:
        return HelmRelease("shop", "prod", len(self.shop.revisions), "deployed", self.shop.values)

    def deployed(self) -> Preview:
        return Preview(self.shop.revisions[-1])

    def earlier(self) -> list[list[Object]]:
        return self.shop.revisions[::-1]

    def preview(self, values: Mapping[str, Any]) -> Preview:
        return Preview(plain(self.shop.kind) if self.plain else routed(values))

    def upgrade(self, values: Mapping[str, Any]) -> None:
        if values == self.shop.values:
            return
        self.shop.act()
        self.shop.values = dict(values)
        self.shop.revisions.append(list(self.preview(values).objects))
        if self.plain:
            self.shop.selector, self.shop.subsets, self.shop.weights = dict(OLD), frozenset(), None
            self.shop.pods.setdefault("shop-5d4f-x2k9q", dict(OLD))
        else:
            service, rule, routes = self.shop.revisions[-1]
            self.shop.selector = service["spec"]["selector"]
            self.shop.subsets = frozenset(rule["spec"])
            self.shop.weights = tuple(routes["spec"].items())
            before = {one["kind"] for one in self.shop.revisions[-2]}
            if self.shop.kind in before and f"{self.shop.kind} shop" not in self.shop.kept:  # Helm removes what it knew
                del self.shop.pods["shop-5d4f-x2k9q"]
        self.shop.answered()


def routed(values: Mapping[str, Any]) -> list[Object]:
    """What the routes' chart makes."""
    roles, split = values["roles"], values["istio"]["trafficSplit"]
    weights = {roles["stable"]: split["stable"]} | ({roles["canary"]: split["canary"]} if roles["canary"] else {})
    selector = values["service"].get("selector") or {"app": "shop"}
    return [
        {"kind": "Service", "metadata": {"name": "shop"}, "spec": {"selector": selector}},
        {"kind": "DestinationRule", "metadata": {"name": "shop"}, "spec": list(weights)},
        {"kind": "VirtualService", "metadata": {"name": "shop"}, "spec": weights},
    ]


class Versions:
    """The versions' own Helm releases: v1 is all there is."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def status(self) -> HelmRelease:
        return Routes(self.shop).status()

    def rendered(self, values: Mapping[str, Any]) -> list[Object]:
        return made("shop-v1", NEW, self.shop.kind)

    def install(self, values: Mapping[str, Any], *, anew: bool = False) -> None:
        assert anew
        self.shop.act()
        self.shop.pods["shop-v1-66dc-gjxz4"] = dict(NEW)
        self.shop.answered()

    def there(self) -> frozenset[str]:
        return frozenset({"v1"} if "shop-v1-66dc-gjxz4" in self.shop.pods else ())

    def values_of(self, version: str) -> Mapping[str, Any]:
        return {"image": {"tag": "v1"}, "fullnameOverride": "shop-v1", "port": 80}

    def remove(self, version: str) -> None:
        self.shop.act()
        del self.shop.pods["shop-v1-66dc-gjxz4"]
        self.shop.answered()


class Live:
    """What the command reads and writes beside Helm."""

    namespace = "prod"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def find(self, manifest: Object) -> Object | None:
        if manifest["kind"] == "ValidatingAdmissionPolicy":
            rules = [{"resources": self.shop.fenced}]
            return {**manifest, "spec": {"matchConstraints": {"resourceRules": rules}}} if self.shop.fence else None
        if manifest["kind"] == "DestinationRule":
            return manifest if self.shop.subsets else None
        if manifest["kind"] == "VirtualService":
            return manifest if self.shop.weights is not None else None
        return {**manifest, "spec": {"replicas": 1}, "status": {"updatedReplicas": 1, "availableReplicas": 1}}

    def endpoints(self, service: str) -> set[str]:
        return set(self.shop.now().pods)

    def pods(self, selector: Mapping[str, str]) -> set[str]:
        return {name for name, labels in self.shop.pods.items() if selector.items() <= labels.items()}

    def keep_on_upgrade(self, manifest: Object, keep: bool = True) -> None:
        self.shop.act()
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        self.shop.kept = self.shop.kept | {name} if keep else self.shop.kept - {name}

    def label_pods(self, selector: Mapping[str, str], labels: Mapping[str, str]) -> None:
        self.shop.act()
        for one in self.shop.pods.values():
            if selector.items() <= one.items():
                one.update(labels)
        self.shop.answered()

    def put(self, manifest: Object) -> None:
        self.shop.act()
        if manifest["kind"] == "DestinationRule":
            self.shop.subsets = frozenset(manifest["spec"])
        elif manifest["kind"] == "VirtualService":
            self.shop.weights = tuple(manifest["spec"].items())
        else:
            self.shop.pods.setdefault("shop-5d4f-x2k9q", dict(OLD))
        self.shop.answered()

    def delete(self, manifest: Object) -> None:
        self.shop.act()
        if manifest["kind"] == "DestinationRule":
            self.shop.subsets = frozenset()
        else:
            self.shop.weights = None
        self.shop.answered()

    def delete_made(self, manifest: Object) -> bool:
        assert manifest["kind"] == self.shop.kind
        if "shop-5d4f-x2k9q" not in self.shop.pods:
            return False
        self.shop.act()
        self.shop.kept.discard(f"{self.shop.kind} shop")
        del self.shop.pods["shop-5d4f-x2k9q"]
        self.shop.answered()
        return True


class Workloads:
    """Pods are ready at once."""

    def wait_ready(self, version: str, timeout_s: float, said: Callable[[Readiness], None]) -> float:
        return 0.0
