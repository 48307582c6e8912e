"""Helm's manifests as objects, read as Helm reads them: YAML as Go's library for Kubernetes resolves it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from glidepath.kube import WORKLOAD_KINDS

Object = dict[str, Any]
_BOOL = re.compile(r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_INT = re.compile(r"^[-+]?(?:0|[1-9][0-9]*|0[0-7]+|0x[0-9a-fA-F]+|0b[01]+)$")
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")


class _Loader(yaml.SafeLoader):
    """No dates and no sexagesimal numbers; `1e3` is a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag.rpartition(":")[2] in ("null", "merge")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("yYnNtTfFoO"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
_Loader.add_constructor(
    "tag:yaml.org,2002:bool",
    lambda _, node: str(node.value).lower() in ("y", "yes", "true", "on"),
)


def objects(text: str) -> list[Object]:
    """The objects of a stream of documents. Anything else, such as an empty document, is left out."""
    documents = yaml.load_all(text, Loader=_Loader)
    return [
        document
        for document in documents
        if isinstance(document, dict) and document.get("kind") and (document.get("metadata") or {}).get("name")
    ]


def by_name(rendered: Iterable[Object]) -> dict[str, Object]:
    """Objects by their kind and name."""
    return {f"{manifest['kind']} {manifest['metadata']['name']}": manifest for manifest in rendered}


def workloads_named(rendered: Iterable[Object], name: str) -> list[Object]:
    """What runs pods under a name: a version's Deployment or StatefulSet, where a chart makes it as it should."""
    return [
        manifest for manifest in rendered if manifest["kind"] in WORKLOAD_KINDS and manifest["metadata"]["name"] == name
    ]


def volume_templates(manifest: Object) -> list[str]:
    """The names of the volumes that a StatefulSet has made for each of its pods."""
    templates = (manifest.get("spec") or {}).get("volumeClaimTemplates") or []
    return [str((template.get("metadata") or {}).get("name")) for template in templates]
