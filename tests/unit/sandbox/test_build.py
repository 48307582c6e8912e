"""The build of the sandbox's binaries: how far it is, and at what pace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sandbox import build
from sandbox.common import SandboxError


def test_what_is_left_is_told_by_the_pace_so_far() -> None:
    assert build.progress(1200, 3600, 240.0) == "built 1,200 of 3,600 packages in 240 s; at this pace 8 min are left"
    assert build.progress(0, 3600, 1.0).endswith("60 min are left")
    assert build.progress(3600, 3600, 700.0) == "built all 3,600 packages; binaries are linked (700 s)"


@pytest.mark.parametrize(("pages", "gogc"), [(2**19, "100"), (2**22, "400")])
def test_the_heap_may_grow_where_memory_is_plenty(monkeypatch: pytest.MonkeyPatch, pages: int, gogc: str) -> None:
    sizes = {"SC_AVPHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    assert build.pace() == gogc


def test_a_build_that_fails_says_its_last_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no required module provides package x')"]
    with pytest.raises(SandboxError, match=r"no required module provides package x\. Run the same command again"):
        build._built(command, tmp_path, dict(os.environ), 5)
    assert capsys.readouterr().err == ""


def test_a_build_tells_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "TELL_S", 0.0)
    command = [sys.executable, "-c", "import sys; [print(n, file=sys.stderr) for n in range(3)]"]
    build._built(command, tmp_path, dict(os.environ), 3)
    told = capsys.readouterr().err
    assert "built 1 of 3 packages" in told
    assert "built all 3 packages" in told
