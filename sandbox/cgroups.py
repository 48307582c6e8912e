"""The cgroup under which the kubelet keeps its pods: ours to make, ours to remove."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """Every mounted cgroup hierarchy: one a controller in version 1, a single one in version 2."""
    found = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            found.append(Path(where))
    return found


def make(name: str) -> None:
    """Make the group in every hierarchy; in version 2 the controllers must be handed down first."""
    for hierarchy in hierarchies():
        control = hierarchy / "cgroup.subtree_control"
        controllers = hierarchy / "cgroup.controllers"
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        _cpuset(hierarchy, group)
        if control.exists() and controllers.exists():
            for controller in controllers.read_text().split():
                for place in (control, group / "cgroup.subtree_control"):
                    with suppress(OSError):
                        place.write_text(f"+{controller}")


def _cpuset(hierarchy: Path, group: Path) -> None:
    """A version 1 cpuset takes no process until it has processors and memory nodes."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        if (hierarchy / file).exists() and (group / file).exists() and not (group / file).read_text().strip():
            with suppress(OSError):
                (group / file).write_text((hierarchy / file).read_text())


def remove(name: str) -> bool:
    """Remove the group and what is below it; False while a process is still in it."""
    for hierarchy in hierarchies():
        group = hierarchy / name
        if not group.exists():
            continue
        for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        with suppress(OSError):
            group.rmdir()
        if group.exists():
            return False
    return True
