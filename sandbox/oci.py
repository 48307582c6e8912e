"""Packs root file systems into OCI image archives: the layout of the OCI image specification, no tool needed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Config:
    """What a container of the image runs, and as whom."""

    entrypoint: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = "0"
    workdir: str = "/"


def layer(target: Path, files: Iterable[tuple[Path, str, int | None]]) -> Path:
    """A layer from (file or folder, absolute path inside, mode or None for the file's own); times and owners fixed."""
    half = target.with_name(f".{target.name}.half")
    with tarfile.open(half, "w") as archive:
        for source, inside, mode in files:
            for path in [source, *sorted(source.rglob("*"))] if source.is_dir() else [source]:
                if "__pycache__" in path.parts:
                    continue
                name = inside.lstrip("/") + ("" if path == source else f"/{path.relative_to(source)}")
                info = archive.gettarinfo(str(path), name)
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                info.mtime = 0
                if mode is not None and info.isreg():
                    info.mode = mode
                with path.open("rb") if info.isreg() else io.BytesIO() as content:
                    archive.addfile(info, content if info.isreg() else None)
    half.rename(target)
    return target


def links(target: Path, pairs: Mapping[str, str]) -> Path:
    """A layer of symbolic links: absolute path inside -> what it points to."""
    with tarfile.open(target, "w") as archive:
        for inside, points in sorted(pairs.items()):
            info = tarfile.TarInfo(inside.lstrip("/"))
            info.type, info.linkname = tarfile.SYMTYPE, points
            archive.addfile(info)
    return target


def archive(target: Path, name: str, layers: Sequence[Path], config: Config) -> Path:
    """An OCI archive with this reference, of uncompressed layers, lowest first."""
    blobs: dict[str, bytes | Path] = {}

    def put(content: bytes | Path) -> dict[str, object]:
        if isinstance(content, Path):
            with content.open("rb") as file:
                key, size = hashlib.file_digest(file, "sha256").hexdigest(), content.stat().st_size
        else:
            key, size = hashlib.sha256(content).hexdigest(), len(content)
        blobs[key] = content
        return {"digest": f"sha256:{key}", "size": size}

    put_layers = [put(one) for one in layers]
    described = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **one} for one in put_layers]
    image = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(config.entrypoint),
            "Env": [PATH, *(f"{key}={value}" for key, value in sorted(config.env.items()))],
            "User": config.user,
            "WorkingDir": config.workdir,
        },
        "rootfs": {"type": "layers", "diff_ids": [one["digest"] for one in put_layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(_json(image))},
        "layers": described,
    }
    index = {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": manifest["mediaType"],
                **put(_json(manifest)),
                "annotations": {
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name.rsplit(":", 1)[-1],
                },
                "platform": {"architecture": "amd64", "os": "linux"},
            }
        ],
    }
    half = target.with_name(f".{target.name}.half")
    with tarfile.open(half, "w") as out:
        _add(out, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(out, "index.json", _json(index))
        for key, content in blobs.items():
            _add(out, f"blobs/sha256/{key}", content)
    half.rename(target)
    return target


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _add(out: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    info = tarfile.TarInfo(name)
    if isinstance(content, Path):
        info.size = content.stat().st_size
        with content.open("rb") as file:
            out.addfile(info, file)
    else:
        info.size = len(content)
        out.addfile(info, io.BytesIO(content))
