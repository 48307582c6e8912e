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


def told(folder: Path, script: str, packages: int) -> list[str]:
    """What a command names that stands for Go."""
    command = [sys.executable, "-c", f"import sys, time; {script}"]
    return build._told(command, folder, dict(os.environ), lambda done, seconds: build.progress(done, packages, seconds))


def test_a_build_that_fails_says_its_last_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SandboxError, match=r"no required module provides package x\. Run the same command again"):
        told(tmp_path, "sys.exit('no required module provides package x')", 5)
    assert capsys.readouterr().err == ""


def test_a_build_tells_how_far_it_is_though_nothing_new_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a link that takes minutes Go says nothing; of what it fetches it says lines that are no packages."""
    monkeypatch.setattr(build, "TELL_S", 0.05)
    waits = "sys.stderr.flush(); time.sleep(0.5)"
    script = f"print('go: downloading x v1', 'a', sep='\\n', file=sys.stderr); {waits}; print('b', 'c', sep='\\n', file=sys.stderr); {waits}"
    assert told(tmp_path, script, 3) == ["a", "b", "c"]
    said = capsys.readouterr().err
    assert "built 1 of 3 packages" in said
    assert said.count("built all 3 packages") > 1
