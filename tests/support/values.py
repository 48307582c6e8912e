"""A repository in git that says which version is stable, and the project's own script that commits to it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).resolve().parents[2] / "include" / "handover" / "commit-values"
FILE = "apps/prices/release.json"


@dataclass(frozen=True)
class Values:
    """A bare repository."""

    bare: Path

    @classmethod
    def made(cls, folder: Path) -> Values:
        """A new one in a folder, with one commit on main."""
        made, work = cls(folder / "values.git"), folder / "work"
        made.git("init", "--quiet", "--bare", "--initial-branch=main", str(made.bare), at=folder)
        made.git("clone", "--quiet", str(made.bare), str(work), at=folder)
        made.git("checkout", "--quiet", "-B", "main", at=work)
        made.git("commit", "--quiet", "--allow-empty", "-m", "first", at=work)
        made.git("push", "--quiet", "origin", "main", at=work)
        shutil.rmtree(work)
        return made

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """What git says in a folder, the repository if none is given."""
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=at or self.bare, check=True, capture_output=True, text=True
        )
        return done.stdout

    @property
    def command(self) -> list[str]:
        """What commits to it; shallow clones need a place with a protocol."""
        return [str(SCRIPT), f"file://{self.bare}", "main", FILE]

    @property
    def gitops(self) -> dict[str, Any]:
        """A policy's part that hands promotions over to it."""
        return {"handover": "command", "command": self.command}

    def says(self) -> str:
        """The version that it calls stable."""
        return str(json.loads(self.git("show", f"main:{FILE}"))["roles"]["stable"])

    def keys(self) -> list[str]:
        """The keys of its commits, newest first."""
        return self.git("log", "--format=%(trailers:key=Glidepath-Key,valueonly,separator=)", "main").splitlines()

    def refuse(self, hook: str) -> None:
        """Have it run this before each push."""
        path = self.bare / "hooks" / "pre-receive"
        path.write_text(f"#!/bin/sh\n{hook}\n")
        path.chmod(0o755)
