"""What several commands have."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.cli.options import save


def test_a_file_is_written_and_by_a_dry_run_only_asked_for(tmp_path: Path) -> None:
    save(tmp_path / "one", "ä\n", dry_run=True)
    assert not (tmp_path / "one").exists()
    save(tmp_path / "one", "ä\n", dry_run=False)
    assert (tmp_path / "one").read_bytes() == "ä\n".encode()


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_folder_that_is_not_there_is_refused_either_way(tmp_path: Path, dry_run: bool) -> None:
    with pytest.raises(FileNotFoundError, match="none/one"):
        save(tmp_path / "none" / "one", "", dry_run)
