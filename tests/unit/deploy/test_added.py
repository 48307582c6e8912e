"""What is added to rendered objects: the same by Python, for a look, and by the post-renderer, for the upgrade."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from glidepath.deploy.added import labelled, marked, numbered, with_fields
from glidepath.deploy.helm import POSTRENDER
from glidepath.deploy.manifests import objects

PLAIN = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-v2
spec:
  selector: {matchLabels: {name: shop}}
  template:
    metadata:
      labels: {name: shop}
"""
LABELLED = PLAIN.replace(
    "name: shop-v2\n", 'name: shop-v2\n  labels: {app: other}\n  annotations: {note: "1"}\n'
).replace("labels: {name: shop}", 'labels: {name: shop, version: "1.16"}')
EMPTY = PLAIN.replace("name: shop-v2\n", "name: shop-v2\n  labels:\n  annotations:\n")
OTHER = PLAIN.replace("name: shop-v2", "name: shop-v2-cache")


def rendered_by_helm(text: str, added: list[Any], folder: Path) -> list[dict[str, Any]]:
    """What the post-renderer makes of it."""
    file = folder / "overlay.json"
    file.write_text(json.dumps(added))
    command = [sys.executable, "-I", str(POSTRENDER / "overlay" / "lay.py"), str(file)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("text", [PLAIN, LABELLED, EMPTY], ids=["plain", "labels of its own", "empty maps"])
@pytest.mark.parametrize("token", ["", "41"])
def test_a_deployment_of_any_chart_becomes_one_of_a_version(text: str, token: str, tmp_path: Path) -> None:
    added = [*labelled("shop-v2", "shop", "v2"), *numbered(objects(text), 7)]
    added += marked("shop-v2", token) if token else []
    [made] = with_fields(objects(text), added)
    own = {"app": "shop", "version": "v2"}
    assert own.items() <= made["metadata"]["labels"].items()
    assert {**own, "name": "shop"} == made["spec"]["template"]["metadata"]["labels"]
    assert made["spec"]["selector"] == {"matchLabels": {"name": "shop"}}
    notes = dict(made["metadata"]["annotations"])
    assert notes.pop("glidepath.dev/write") == "7"
    assert notes.pop("glidepath.dev/token", "") == token
    assert set(notes) <= {"note"}
    assert rendered_by_helm(text, added, tmp_path) == [made]


def test_other_deployments_of_the_chart_stay_as_they_are(tmp_path: Path) -> None:
    added = labelled("shop-v2", "shop", "v2")
    assert with_fields(objects(OTHER), added) == objects(OTHER)
    assert rendered_by_helm(OTHER, added, tmp_path) == objects(OTHER)


def test_what_is_rendered_is_not_written_to() -> None:
    rendered = objects(PLAIN)
    with_fields(rendered, labelled("shop-v2", "shop", "v2"))
    assert rendered == objects(PLAIN)
    assert with_fields(rendered, []) is rendered
