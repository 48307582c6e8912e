"""What packs and runs the service and the generator names things that exist and settings that are valid."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import smsclassifier.settings
import trafficgen.settings
import yaml

REPO = Path(__file__).parents[4]
SERVICES = ["services/fastapi", "services/otel", "services/grpc"]
IMAGES = tomllib.loads((REPO / "sandbox" / "images.toml").read_text(encoding="utf-8"))
TRAFFIC = list(yaml.safe_load_all((REPO / "examples" / "traffic" / "traffic.yaml").read_text(encoding="utf-8")))


def settings_of(tag: str) -> smsclassifier.settings.Settings:
    image = IMAGES["model-service"]
    return smsclassifier.settings.from_environment(image["env"] | image["tags"][tag])


@pytest.mark.parametrize("tag", ["v1", "v2", "v3", "v4", "v5", "v6"])
def test_a_tag_is_the_version_it_reports(tag: str) -> None:
    assert settings_of(tag).version == tag
    assert settings_of(tag).model == ("v1" if tag == "v1" else "v2")


def test_tags_have_the_faults_of_the_demonstration() -> None:
    assert [settings_of(tag).faults for tag in IMAGES["model-service"]["tags"]] == [
        "none",
        "none",
        "error rate 0.05",
        "latency factor 1.3",
        "slow start, s 86400.0",
        "all ham True",
    ]


@pytest.mark.parametrize(
    "name", ["model-service", "traffic-generator", "segments", "lengths", "lookups", "lookups-caller"]
)
def test_images_copy_what_is_there(name: str) -> None:
    for source in (*IMAGES[name]["copy"], IMAGES[name]["requirements"]):
        assert (REPO / source).exists()


@pytest.mark.parametrize(
    ("file", "context"),
    [("model-service", "model-service"), ("traffic", "."), ("services/fastapi", "services/fastapi")],
)
def test_dockerfiles_copy_what_is_there(file: str, context: str) -> None:
    text = (REPO / "examples" / file / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\S+) ", text, re.MULTILINE)
    assert copied
    for source in copied:
        assert (REPO / "examples" / context / source).exists()


@pytest.mark.parametrize("folder", ["model-service", "traffic", *SERVICES])
def test_requirements_are_locked_with_hashes(folder: str) -> None:
    wanted = (REPO / "examples" / folder / "requirements.in").read_text(encoding="utf-8")
    locked = (REPO / "examples" / folder / "requirements.txt").read_text(encoding="utf-8")
    for line in wanted.splitlines():
        if not line.startswith("#"):
            assert re.search(rf"^{re.escape(line)} \\\n    --hash=sha256:", locked, re.MULTILINE)


def container() -> dict[str, Any]:
    return TRAFFIC[0]["spec"]["template"]["spec"]["containers"][0]


def test_the_manifest_s_settings_are_valid() -> None:
    environment = {entry["name"]: entry["value"] for entry in container()["env"]}
    expected = replace(trafficgen.settings.Settings(), gateway_host="sms.example.com")  # the chart's host name
    assert trafficgen.settings.from_environment(environment) == expected


def test_the_manifest_is_confined() -> None:
    pod = TRAFFIC[0]["spec"]["template"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    confined = container()["securityContext"]
    assert confined["readOnlyRootFilesystem"]
    assert not confined["allowPrivilegeEscalation"]
    assert container()["resources"]["limits"]["memory"]


def test_the_generator_s_port_is_outside_the_mesh() -> None:
    annotations = TRAFFIC[0]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["traffic.sidecar.istio.io/excludeInboundPorts"] == "9090"
    assert annotations["traffic.sidecar.istio.io/excludeOutboundPorts"] == "80"
    assert container()["ports"][0]["containerPort"] == TRAFFIC[1]["spec"]["ports"][0]["port"] == 9090
