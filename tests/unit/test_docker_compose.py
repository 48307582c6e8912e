"""docker-compose.yaml: every file it names is there, every variable is documented, every setting is one Airflow knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.configuration import conf

from rig.distributed.airflow import HAND_OVER

REPO = Path(__file__).resolve().parents[2]
TEXT = (REPO / "docker-compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (REPO / "include" / "compose" / "env.example").read_text()
AIRFLOW = [name for name, one in SERVICES.items() if one.get("image", "").startswith("glidepath-airflow")]


BY_CELERY = {"worker", "broker", "scheduler-2", "triggerer-2"}


def host_files() -> Iterator[str]:
    """The files and folders of the checkout that containers mount or are built from."""
    for one in SERVICES.values():
        for volume in one.get("volumes", []):
            source = str(volume).split(":")[0]
            if source.startswith("."):
                yield source
        build = one.get("build")
        if build:
            yield str(Path(build["context"]) / build["dockerfile"])


@pytest.mark.parametrize("path", sorted(set(host_files())))
def test_every_file_is_there(path: str) -> None:
    assert (REPO / path).exists()


def test_every_variable_is_in_the_example_and_every_secret_is_required() -> None:
    named = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    documented = set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))
    assert named == documented
    for name in named:
        uses = re.findall(r"\$\{" + name + r"([^}]*)\}", TEXT)
        if any(word in name for word in ("KEY", "SECRET", "PASSWORD", "KUBECONFIG")):
            assert all(use.startswith(":?") for use in uses), f"{name} must not have a default"


def test_images_are_pinned() -> None:
    for name, one in SERVICES.items():
        image, _, tag = one["image"].rpartition(":")
        assert image, name
        assert re.match(r"v?\d+\.\d+", tag), (name, tag)
    dockerfile = (REPO / "include" / "compose" / "Dockerfile").read_text()
    for line in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        assert re.search(r":v?\d+\.\d+\.\d+", line)


def test_the_image_has_the_airflow_that_is_locked() -> None:
    locked = re.search(r"^apache-airflow==([\d.]+)", (REPO / "requirements.txt").read_text(), re.MULTILINE)
    assert locked is not None
    version = locked.group(1)
    assert f"FROM apache/airflow:{version}-" in (REPO / "include" / "compose" / "Dockerfile").read_text()
    assert {SERVICES[name]["image"] for name in AIRFLOW} == {f"glidepath-airflow:{version}"}


# The Celery provider's own: it is not among the packages of `make test`.
CELERY = {"AIRFLOW__CELERY__BROKER_URL", "AIRFLOW__CELERY__RESULT_BACKEND"}


@pytest.mark.parametrize("name", AIRFLOW)
def test_airflow_knows_every_setting(name: str) -> None:
    described = conf.configuration_description
    for variable in set(SERVICES[name]["environment"]) - CELERY:
        found = re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", variable)
        if found:
            section, option = (part.lower() for part in found.groups())
            assert option in described[section]["options"], variable


def test_every_component_of_airflow_runs_with_the_same_secrets() -> None:
    assert set(AIRFLOW) == {"init", "api-server", "scheduler", "dag-processor", "triggerer", *BY_CELERY} - {"broker"}
    environments = [SERVICES[name]["environment"] for name in AIRFLOW]
    assert all(one == environments[0] for one in environments)
    assert {"AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY", "DUMB_INIT_SETSID"} <= set(environments[0])
    assert json.loads(environments[0]["AIRFLOW_CONN_KUBERNETES_DEFAULT"])["conn_type"] == "kubernetes"


def test_what_runs_on_is_watched_and_only_on_loopback() -> None:
    for name, one in SERVICES.items():
        assert name == "init" or one["healthcheck"]["test"]
        assert all(str(port).startswith("127.0.0.1:") for port in one.get("ports", []))


def test_dependencies_name_services() -> None:
    for one in SERVICES.values():
        assert set(one.get("depends_on", {})) <= set(SERVICES)
        assert set(one.get("secrets", [])) <= set(COMPOSE["secrets"])


def test_by_default_one_of_each_runs_and_tasks_are_forks_of_the_scheduler() -> None:
    assert {name for name, one in SERVICES.items() if one.get("profiles")} == BY_CELERY
    assert all(SERVICES[name]["profiles"] == ["celery"] for name in BY_CELERY)
    executor = SERVICES["scheduler"]["environment"]["AIRFLOW__CORE__EXECUTOR"]
    assert executor == "${AIRFLOW_EXECUTOR:-LocalExecutor}"


def test_by_celery_there_are_two_of_each_that_may_die() -> None:
    commands = [one["command"][0] for one in (SERVICES[name] for name in AIRFLOW) if "replicas" not in str(one)]
    assert (commands.count("scheduler"), commands.count("triggerer")) == (2, 2)
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert SERVICES["worker"]["command"] == ["celery", "worker"]


def test_tasks_go_to_the_broker_of_the_profile_and_nobody_else_can_read_them() -> None:
    environment = SERVICES["worker"]["environment"]
    assert re.search(r"@broker:6379/0$", environment["AIRFLOW__CELERY__BROKER_URL"])
    assert environment["AIRFLOW__CELERY__RESULT_BACKEND"].startswith("db+postgresql://")
    assert '--requirepass "$$BROKER_PASSWORD"' in SERVICES["broker"]["command"][-1]
    assert "ports" not in SERVICES["broker"]


def test_the_image_has_what_celery_needs_as_it_is_locked() -> None:
    dockerfile = (REPO / "include" / "compose" / "Dockerfile").read_text()
    assert "--require-hashes -r /tmp/requirements-distributed.txt" in dockerfile
    locked = (REPO / "requirements-distributed.txt").read_text()
    assert re.search(r"^apache-airflow-providers-celery==[\d.]+ \\$", locked, re.MULTILINE)


def test_what_both_files_lock_they_lock_alike() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z\d-]+)(?:\[.*\])?==(\S+)", (REPO / name).read_text(), re.MULTILINE))

    ours, further = pins("requirements.txt"), pins("requirements-distributed.txt")
    shared = set(ours) & set(further)
    assert len(shared) > 50
    assert {name: ours[name] for name in shared} == {name: further[name] for name in shared}


@pytest.mark.parametrize("name", AIRFLOW)
def test_guards_are_handed_over_as_fast_as_where_it_was_measured(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert {one: environment[one] for one in HAND_OVER} == HAND_OVER
