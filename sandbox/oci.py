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


@dataclass(frozen=True)
class Image:
    """One image: its reference, its uncompressed layers, lowest first, and what it runs."""

    reference: str
    layers: Sequence[Path]
    config: Config


class _Blobs:
    """Content by its digest; the same layer is kept once."""

    def __init__(self) -> None:
        self.content: dict[str, bytes | Path] = {}
        self._known: dict[Path, dict[str, object]] = {}

    def put(self, content: bytes | Path) -> dict[str, object]:
        """Keep it; its descriptor."""
        if isinstance(content, Path):
            if content not in self._known:
                with content.open("rb") as file:
                    key = hashlib.file_digest(file, "sha256").hexdigest()
                self.content[key] = content
                self._known[content] = {"digest": f"sha256:{key}", "size": content.stat().st_size}
            return self._known[content]
        key = hashlib.sha256(content).hexdigest()
        self.content[key] = content
        return {"digest": f"sha256:{key}", "size": len(content)}


def archive(target: Path, images: Sequence[Image]) -> Path:
    """An OCI archive with these images; layers that they share are in it once."""
    blobs = _Blobs()
    index = {"schemaVersion": 2, "manifests": [_described(one, blobs) for one in images]}
    half = target.with_name(f".{target.name}.half")
    with tarfile.open(half, "w") as out:
        _add(out, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(out, "index.json", _json(index))
        for key, content in blobs.content.items():
            _add(out, f"blobs/sha256/{key}", content)
    half.rename(target)
    return target


def _described(image: Image, blobs: _Blobs) -> dict[str, object]:
    """An image's entry in the index, its parts put among the blobs."""
    layers = [blobs.put(one) for one in image.layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(image.config.entrypoint),
            "Env": [PATH, *(f"{key}={value}" for key, value in sorted(image.config.env.items()))],
            "User": image.config.user,
            "WorkingDir": image.config.workdir,
        },
        "rootfs": {"type": "layers", "diff_ids": [one["digest"] for one in layers]},
    }
    media = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{media}.manifest.v1+json",
        "config": {"mediaType": f"{media}.config.v1+json", **blobs.put(_json(config))},
        "layers": [{"mediaType": f"{media}.layer.v1.tar", **one} for one in layers],
    }
    names = {
        "io.containerd.image.name": image.reference,
        "org.opencontainers.image.ref.name": image.reference.rsplit(":", 1)[-1],
    }
    platform = {"architecture": "amd64", "os": "linux"}
    return {
        "mediaType": f"{media}.manifest.v1+json",
        **blobs.put(_json(manifest)),
        "annotations": names,
        "platform": platform,
    }


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
