"""What a policy says of Helm: one release of a chart that knows Glidepath, or one a version of any chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.errors import PolicyError
from glidepath.policy import Policy, ReleaseSpec, for_run
from glidepath.policy.load import parse_policy

DIGEST = "sha256:" + "0123456789abcdef" * 4


def parsed(helm: str) -> Policy:
    """A policy with this said of Helm."""
    text = f"service: shop\nnamespace: prod\nhelm: {{release: shop{helm}}}\nsteps: [{{weight: 50}}]\n"
    return parse_policy(text, "p.yaml", Path("/checkout"))


def test_one_release_of_the_service_is_what_is_meant_by_default() -> None:
    helm = parsed("").helm
    assert (helm.per_version, helm.chart, helm.values) == (False, "/checkout/include/helm-chart", {})


def test_a_release_per_version_takes_what_helm_create_has() -> None:
    helm = parsed(", chart: charts/shop, per_version: true, values: {service: {port: 9090}}").helm
    assert (helm.chart, helm.routes) == ("/checkout/charts/shop", "/checkout/include/charts/routes")
    assert helm.values == {"service": {"port": 9090}}
    assert helm.paths.taken == ("fullnameOverride", "image.tag", "replicaCount")


def test_a_spec_keeps_the_values_that_its_version_is_released_with() -> None:
    policy = parsed(", chart: a, per_version: true, values: {a: [1, {b: null}]}, paths: {replicas: null}")
    spec = for_run(policy, {"version": "1.4.2"})
    again = ReleaseSpec.from_dict(spec.to_dict())
    assert again == spec
    assert (again.helm.values, again.helm.paths.replicas) == ({"a": [1, {"b": None}]}, None)


@pytest.mark.parametrize("key", ["per_version", "values", "paths", "routes", "version", "plain_http"])
def test_a_spec_of_before_goes_on(key: str) -> None:
    policy = parsed("")
    recorded = for_run(policy, {"version": "v2"}).to_dict()
    recorded["helm"].pop(key)
    assert ReleaseSpec.from_dict(recorded).helm == policy.helm


@pytest.mark.parametrize(
    ("helm", "words"),
    [
        (", values: {a: 1}", "values: only for per_version: true"),
        (", paths: {tag: version}", "paths: only for per_version: true"),
        (", routes: charts/mine", "routes: only for per_version: true"),
        (", per_version: true", "expected `chart`"),
        (", chart: a, per_version: true, values: {image: {tag: x}}", "image.tag is written for each version"),
        (", chart: a, per_version: true, values: {replicaCount: 3}", "replicaCount is written for each version"),
        (", chart: a, per_version: true, paths: {tag: 'image.tag,b=c'}", "pattern"),
        (", chart: a, per_version: true, paths: {image: a}", "unknown key"),
        (", chart: a, per_version: true, paths: {name: image}", "image and image.tag: one would overwrite the other"),
        (", chart: a, per_version: true, paths: {tag: replicaCount}", "replicaCount and replicaCount: one would"),
        (
            ", chart: a, per_version: true, values: {image: nginx}",
            "image is no map, and image.tag is to be written below",
        ),
        (", chart: a, per_version: true, values: {day: 2024-11-27}", "values"),
        (", chart: 'oci://r.example/shop'", "version: none for a chart in a registry"),
        (", chart: 'oci://r.example/shop', version: ^1.4", "pattern"),
        (", chart: 'oci://r.example/shop', version: latest", "pattern"),
        (", chart: 'oci://r.example/shop:1.4.2', version: 1.4.2", "expected oci://HOST/PATH/NAME, with the version in"),
        (", chart: 'oci://r.example/Shop', version: 1.4.2", "expected oci://HOST/PATH/NAME"),
        (", chart: 'oci://me:secret@r.example/shop', version: 1.4.2", "expected oci://HOST/PATH/NAME"),
        (", chart: a, plain_http: true", "plain_http: a is in no registry"),
        (", chart: a, version: released", "released is only for per_version: true"),
        (f", chart: a, version: released, per_version: true, digest: '{DIGEST}'", "pins one chart"),
        (", chart: a, version: released, per_version: true, paths: {tag: tag}", "the chart says which image"),
    ],
)
def test_what_does_not_fit_is_refused(helm: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parsed(helm)
    assert words in str(caught.value)


def test_a_digest_needs_its_place_in_the_values() -> None:
    with pytest.raises(PolicyError, match=r"helm\.paths\.digest does not say"):
        for_run(parsed(", chart: a, per_version: true"), {"version": DIGEST})
    policy = parsed(", chart: a, per_version: true, paths: {digest: image.digest}")
    assert for_run(policy, {"version": DIGEST}).digest == DIGEST


IN_REGISTRY = ", chart: 'oci://r.example:5000/charts/shop', "


def test_a_chart_in_a_registry_is_no_path_of_the_checkout() -> None:
    helm = parsed(IN_REGISTRY + "per_version: true, version: 1.4.2").helm
    assert (helm.chart, helm.version) == ("oci://r.example:5000/charts/shop", "1.4.2")
    assert helm.routes == "/checkout/include/charts/routes"
    assert parsed(IN_REGISTRY + f"digest: '{DIGEST}'").helm.version is None


@pytest.mark.parametrize("version", ["1.4.2", "v1.4.2", "2024.11.27-rc.1+build"])
def test_the_version_that_is_released_may_be_the_charts(version: str) -> None:
    policy = parsed(IN_REGISTRY + "per_version: true, version: released, values: {image: {tag: own}}")
    spec = for_run(policy, {"version": version})
    assert spec.chart_version == version
    pinned = spec.model_copy(update={"helm": spec.helm.model_copy(update={"digest": DIGEST})})
    assert ReleaseSpec.from_dict(pinned.to_dict()) == pinned


@pytest.mark.parametrize("version", [DIGEST, "v2", "1.4", "latest"])
def test_what_is_no_charts_version_is_not_released_as_one(version: str) -> None:
    with pytest.raises(
        PolicyError, match=r"is no chart's version; helm\.version: released expects one such as 1\.4\.2"
    ):
        for_run(parsed(IN_REGISTRY + "per_version: true, version: released"), {"version": version})


def test_fresh_pods_would_be_of_another_chart() -> None:
    text = "service: shop\nnamespace: prod\nhelm: {release: shop, chart: a, per_version: true, version: released}\nsteps: [{weight: 40}]\n"
    with pytest.raises(
        PolicyError, match=r"evidence\.control: fresh starts pods .* helm\.version: released has another"
    ):
        parse_policy(text + "evidence: {control: fresh}\n", "p.yaml", Path("/checkout"))


@pytest.mark.parametrize(("name", "longest"), [("service", 63), ("namespace", 63), ("helm.release", 53)])
def test_names_are_as_long_as_kubernetes_and_helm_have_them(name: str, longest: int) -> None:
    def named(length: int) -> Policy:
        given = {"service": "shop", "namespace": "prod", "helm.release": "shop"} | {name: "n" * length}
        text = "".join(f"{key}: {given[key]}\n" for key in ("service", "namespace"))
        text += f"helm: {{release: {given['helm.release']}}}\nsteps: [{{weight: 50}}]\n"
        return parse_policy(text, "p.yaml", Path("/checkout"))

    assert named(longest).namespace
    with pytest.raises(PolicyError, match=f"{name}: given 'n+': String should match pattern"):
        named(longest + 1)


def test_a_service_is_called_as_kubernetes_calls_one() -> None:
    with pytest.raises(PolicyError, match="service: given '2nd-shop': String should match pattern"):
        parse_policy(
            "service: 2nd-shop\nnamespace: prod\nhelm: {release: shop}\nsteps: [{weight: 50}]\n",
            "p.yaml",
            Path("/checkout"),
        )


def test_a_helm_release_may_have_dots() -> None:
    text = "service: shop\nnamespace: prod\nhelm: {release: shop.eu-west.v2}\nsteps: [{weight: 50}]\n"
    assert parse_policy(text, "p.yaml", Path("/checkout")).helm.release == "shop.eu-west.v2"
