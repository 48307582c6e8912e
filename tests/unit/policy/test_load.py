"""What a policy does not say, `defaults.yaml` beside it says; an error names the file that is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from glidepath.errors import PolicyError
from glidepath.policy import load_policy, policy_files

OWN = "service: cart\nnamespace: shop\nhelm: {release: cart}\nsteps: [{weight: 20}]\n"
FOR_ALL = """lease: 40s
connections: {prometheus: prometheus_shop}
helm: {chart: charts/any}
steps: [{weight: 5}, {weight: 25}]
approval: {before: promotion, by: [ann]}
"""


def written(folder: Path, own: str = OWN, defaults: str = FOR_ALL) -> Path:
    (folder / "defaults.yaml").write_text(defaults)
    file = folder / "cart.yaml"
    file.write_text(own)
    return file


def test_a_mapping_is_laid_over_key_by_key_and_a_list_as_a_whole(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, OWN + "approval: {timeout: 2h}\n"))
    assert policy.lease == 40
    assert policy.connections.prometheus == "prometheus_shop"
    assert (policy.helm.release, Path(policy.helm.chart).name) == ("cart", "any")
    assert [step.weight for step in policy.steps] == [20]
    assert (policy.approval.before, policy.approval.by, policy.approval.timeout) == (("promotion",), ("ann",), 7200)


def test_a_default_that_is_changed_holds_at_once(tmp_path: Path) -> None:
    file = written(tmp_path)
    assert load_policy(file).lease == 40
    beside = tmp_path / "defaults.yaml"
    beside.write_text(FOR_ALL.replace("40s", "55s"))
    os.utime(beside, ns=(1, 1))
    assert load_policy(file).lease == 55
    beside.unlink()
    assert load_policy(file).lease == 50


@pytest.mark.parametrize(
    ("defaults", "own", "told"),
    [
        ("lease: soon\n", OWN, "defaults.yaml:1: lease: given 'soon'"),
        ("lease: 40s\nleese: 1\n", OWN, "defaults.yaml:2: leese: given 1: unknown key"),
        ("helm:\n  charts: x\n", OWN, "defaults.yaml:2: helm.charts: given 'x': unknown key"),
        ("lease: 40s\n", OWN + "lease: never\n", "cart.yaml:5: lease: given 'never'"),
        ("- lease\n", OWN, "defaults.yaml:1: given list, expected a mapping"),
        ("lease: [\n", OWN, "defaults.yaml:2: not valid YAML"),
    ],
)
def test_an_error_names_the_file_and_line_that_is_wrong(tmp_path: Path, defaults: str, own: str, told: str) -> None:
    file = written(tmp_path, own, defaults)
    with pytest.raises(PolicyError) as error:
        load_policy(file)
    assert told in str(error.value)


def test_the_defaults_are_no_policy(tmp_path: Path) -> None:
    file = written(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    assert policy_files(tmp_path) == [file]
