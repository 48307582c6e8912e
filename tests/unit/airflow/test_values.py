"""include/airflow/values.yaml: what Airflow's own chart is given, and that it is what was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from airflow.configuration import conf

from rig.distributed.airflow import HAND_OVER

REPO = Path(__file__).resolve().parents[3]
FOLDER = REPO / "include" / "airflow"
TEXT = (FOLDER / "values.yaml").read_text()
VALUES: dict[str, Any] = yaml.safe_load(TEXT)

TEXT_OF: dict[str, Any] = {"type": "string", "minLength": 1}
PAIR = {"type": "object", "additionalProperties": False, "required": ["name", "value"]}


def closed(**properties: Any) -> dict[str, Any]:
    """An object that has these keys, and no other."""
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


COUNT = {"type": "integer", "minimum": 1}
# What the chart 1.22 takes, as far as it is given here. A key that it does not know it ignores without a word, so none
# may be written that is not listed.
SCHEMA = closed(
    executor={"enum": ["KubernetesExecutor"]},
    airflowVersion=TEXT_OF,
    defaultAirflowRepository=TEXT_OF,
    defaultAirflowTag=TEXT_OF,
    fernetKeySecretName=TEXT_OF,
    apiSecretKeySecretName=TEXT_OF,
    jwtSecretName=TEXT_OF,
    data=closed(metadataSecretName=TEXT_OF),
    postgresql=closed(enabled={"type": "boolean"}),
    config={"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}}},
    env={"type": "array", "items": {**PAIR, "properties": {"name": TEXT_OF, "value": TEXT_OF}}},
    secret={"type": "array", "items": closed(envName=TEXT_OF, secretName=TEXT_OF, secretKey=TEXT_OF)},
    volumes={"type": "array", "items": closed(name=TEXT_OF, secret=closed(secretName=TEXT_OF))},
    volumeMounts={"type": "array", "items": closed(name=TEXT_OF, mountPath=TEXT_OF, readOnly={"const": True})},
    apiServer=closed(replicas=COUNT),
    scheduler=closed(replicas=COUNT),
    dagProcessor=closed(enabled={"const": True}),
    triggerer=closed(
        replicas=COUNT,
        persistence=closed(enabled={"type": "boolean"}),
        topologySpreadConstraints={"type": "array", "items": {"type": "object"}},
    ),
)


def test_the_chart_knows_every_value() -> None:
    jsonschema.validate(VALUES, SCHEMA)


def test_a_value_that_the_chart_does_not_know_is_found() -> None:
    with pytest.raises(jsonschema.ValidationError, match="replica"):
        jsonschema.validate({**VALUES, "scheduler": {"replica": 2}}, SCHEMA)


def test_airflow_knows_every_setting() -> None:
    for section, options in VALUES["config"].items():
        assert set(options) <= set(conf.configuration_description[section]["options"]), section


def test_guards_are_handed_over_as_fast_as_where_it_was_measured() -> None:
    for variable, value in HAND_OVER.items():
        section, option = variable.removeprefix("AIRFLOW__").lower().split("__")
        assert VALUES["config"][section][option] == value, variable


def test_what_watches_may_die() -> None:
    assert VALUES["triggerer"]["replicas"] >= 2
    assert VALUES["scheduler"]["replicas"] >= 2
    (spread,) = VALUES["triggerer"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"


def test_what_every_component_needs_is_given_to_all_of_them() -> None:
    given = {one["name"] for one in VALUES["env"]} | {one["envName"] for one in VALUES["secret"]}
    compose = yaml.safe_load((REPO / "docker-compose.yaml").read_text())["services"]["worker"]["environment"]
    wanted = {one for one in compose if one.startswith(("GLIDEPATH_", "AIRFLOW_CONN_"))}
    # The image says its own version: a value would hide it, with an empty one too.
    in_image = set(re.findall(r"^ENV (\w+)=", (FOLDER / "Dockerfile").read_text(), re.MULTILINE))
    assert in_image == {"GLIDEPATH_VERSION"}
    assert given == wanted - in_image
    (mount,) = VALUES["volumeMounts"]
    kubernetes = next(one["value"] for one in VALUES["env"] if one["name"] == "AIRFLOW_CONN_KUBERNETES_DEFAULT")
    assert json.loads(kubernetes)["extra"]["kube_config_path"].startswith(f"{mount['mountPath']}/")
    assert [one["name"] for one in VALUES["volumes"]] == [mount["name"]]


def test_no_secret_is_written_down() -> None:
    assert not re.search(r"(?i)(password|fernetKey|jwtSecret|apiSecretKey): *\S", TEXT)


def test_the_image_has_what_the_values_point_to() -> None:
    copied = dict(re.findall(r"^COPY (\S+) (\S+)$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE))
    assert all((REPO / source).is_dir() for source in copied)
    core = VALUES["config"]["core"]
    assert (core["dags_folder"], core["plugins_folder"]) == (copied["dags"], copied["plugins"])
    policies = next(one["value"] for one in VALUES["env"] if one["name"] == "GLIDEPATH_POLICIES")
    assert policies == f"{copied['include']}/policies"


def test_the_version_is_the_one_that_is_locked() -> None:
    locked = re.search(r"^apache-airflow==([\d.]+)", (REPO / "requirements.txt").read_text(), re.MULTILINE)
    assert locked is not None
    assert VALUES["airflowVersion"] == locked.group(1)
    assert f"ARG BASE=glidepath-airflow:{locked.group(1)}" in (FOLDER / "Dockerfile").read_text()
