"""Recorded releases from a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from glidepath.cli.main import main
from glidepath.record import Record
from tests.unit.replay.world import POLICY

ROOT = Path(__file__).resolve().parents[3]


def test_the_same_file_gives_the_same_output_bit_for_bit(folder: Path) -> None:
    told = [
        subprocess.run([ROOT / "bin" / "glidepath", "replay", folder / "bad.jsonl", "-o", "json"],
                       check=True, capture_output=True).stdout
        for _ in range(2)
    ]  # fmt: skip
    assert told[0] == told[1]
    values = json.loads(told[0])
    assert values["decision"]["word"] == values["recorded"]["word"] == "rollback"
    assert values["decision"]["after_s"] == values["recorded"]["after_s"]
    assert values["looks"][-1]["verdict"] == "FAIL"


def test_text_shows_each_looks_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(folder / "bad.jsonl")]) == 0
    lines = capsys.readouterr().out.splitlines()
    count = len(list((folder / "bad.jsonl").read_text().splitlines())) - 1
    assert len(lines) == 3 + count + 2
    assert "FAIL      harm_proven" in lines[-3]
    assert "errors +" in lines[-3]
    assert lines[-2].startswith("decision: rollback after ")


def test_another_policys_and_a_backtest(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lax = tmp_path / "lax.yaml"
    lax.write_text(POLICY.replace("safety_margin: 0.006", "harm_margin: 0.05, safety_margin: 0.06"))
    assert main(["replay", "--policy", str(lax), str(folder / "bad.jsonl")]) == 0
    assert "decision: undecided" in capsys.readouterr().out
    assert main(["backtest", "--policy", str(lax), str(folder)]) == 0
    assert capsys.readouterr().out.endswith("1 of 2 decisions would change\n")
    assert main(["backtest", "--policy", str(lax), str(folder), "-o", "json"]) == 0
    assert [one["changed"] for one in json.loads(capsys.readouterr().out)] == [True, False]


def test_refusals_end_with_1_and_name_the_place(
    record: Record, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    header, *lines = (folder / "bad.jsonl").read_text().splitlines()
    bad.write_text("\n".join([header, *(line.replace('"weight":20', '"weight":"x"') for line in lines)]))
    assert main(["replay", str(bad)]) == 1
    assert f"glidepath: {bad}:2: weight: given 'x'" in capsys.readouterr().err
    assert main(["export", "unknown", "--record", record.url]) == 1
    assert "no release 'unknown'" in capsys.readouterr().err


def test_airflow_is_not_needed(folder: Path) -> None:
    """With Airflow's import failing, a replay still runs; and nothing of the cluster's client is loaded either."""
    program = (
        "import sys; sys.modules['airflow'] = None\n"
        "from glidepath.cli.main import main\n"
        f"code = main(['replay', {str(folder / 'good.jsonl')!r}])\n"
        "assert 'kubernetes' not in sys.modules and 'glidepath.release' not in sys.modules\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT / "plugins")})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "decision: promote" in done.stdout


@pytest.mark.parametrize("command", ["export", "report"])
def test_a_dry_run_writes_no_file(
    command: str, record: Record, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder.exists(), "the record has its releases"
    file, argv = tmp_path / "it", [command, "bad", "--record", record.url, "--file"]
    assert main([*argv, str(file), "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith(f"{file} would be written: ")
    assert not file.exists()
    assert main([*argv, str(tmp_path / "nowhere" / "it"), "--dry-run"]) == 1
    assert capsys.readouterr().err == f"glidepath: {tmp_path}/nowhere/it: No such file or directory\n"
    assert main([*argv, str(file)]) == 0
    assert file.read_text()


def test_evidence_is_told_as_json_too(record: Record, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in (folder / "bad.jsonl").read_text().splitlines()]
    assert main(["export", "bad", "--record", record.url, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"header": lines[0], "lines": lines[1:]}
    file = str(folder.parent / "again.jsonl")
    assert main(["export", "bad", "--record", record.url, "-o", "json", "--file", file]) == 0
    told = {"release": "bad", "file": file, "lines": len(lines), "dry_run": False}
    assert json.loads(capsys.readouterr().out) == told
