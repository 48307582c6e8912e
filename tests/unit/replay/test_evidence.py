"""Evidence files: written, read back to the bit, described by a schema, refused by file and line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest

from glidepath.errors import EvidenceError
from glidepath.judge import Plan
from glidepath.replay import Recording, export, read_evidence, write_evidence
from glidepath.replay.evidence import json_schema, parse_evidence, rows
from tests.unit.replay.world import recorded

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "evidence.schema.json"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A promoted release."""
    return export(recorded(f"sqlite:///{tmp_path_factory.mktemp('record')}/r.db"), "r1")


@pytest.fixture(scope="module")
def lines(evidence: Recording) -> list[str]:
    """Its lines."""
    return list(rows(evidence))


def test_what_is_written_is_read_back(evidence: Recording, tmp_path: Path) -> None:
    path = tmp_path / "r1.jsonl"
    with path.open("w") as file:
        write_evidence(evidence, file)
    again = read_evidence(path)
    assert again.header == evidence.header
    assert again.lines == evidence.lines
    assert again.header.plan == Plan.from_dict(json.loads(json.dumps(evidence.header.plan.to_dict())))
    assert (again.header.stable, again.header.canary, again.header.outcome) == ("v1", "v2", "promoted")
    text = io.StringIO()
    write_evidence(again, text)
    assert text.getvalue() == path.read_text()


def test_every_line_fits_the_published_schema(lines: list[str]) -> None:
    stored = json.loads(SCHEMA.read_text())
    assert stored == json_schema(), "run: bin/glidepath schema > docs/evidence.schema.json"
    validator = jsonschema.Draft202012Validator(stored)
    for line in lines:
        validator.validate(json.loads(line))
    assert not validator.is_valid({"start": 0, "end": 5})
    assert {"start", "end", "weight", "stable", "canary", "step", "verdict", "reason"} == set(json.loads(lines[1]))
    assert set(json.loads(lines[7])) == {"at", "no_data"}


def changed(line: str, **values: object) -> str:
    """A line with other values."""
    return json.dumps({**json.loads(line), **values})


def arm_of(line: str, **values: object) -> dict[str, object]:
    """A line's canary with other values."""
    return {**json.loads(line)["canary"], **values}


class TestRefusals:
    def refusal(self, lines: list[str]) -> str:
        with pytest.raises(EvidenceError) as caught:
            parse_evidence(lines, "bad.jsonl")
        return str(caught.value)

    def test_the_header(self, lines: list[str]) -> None:
        head = lines[0]
        assert self.refusal([]).startswith("bad.jsonl:1: not JSON")
        assert self.refusal(lines[1:]).startswith('bad.jsonl:1: no header: expected an object with "format"')
        assert self.refusal([changed(head, format_version=2)]).startswith(
            "bad.jsonl:1: format_version 2, this code reads 1"
        )
        assert "bad.jsonl:1: stable: given 3: " in self.refusal([changed(head, stable=3)])
        plan = json.loads(head)["plan"]
        del plan["metrics"][0]["base"]
        assert "bad.jsonl:1: plan.metrics[0].base: Field required" in self.refusal([changed(head, plan=plan)])

    def test_a_line(self, lines: list[str]) -> None:
        head, line = lines[0], lines[1]
        cases = {
            "bad.jsonl:3: Invalid JSON": line[:40],
            "bad.jsonl:3: weight: given '20': ": changed(line, weight="20"),
            "bad.jsonl:3: canary.requests: given 1.5: ": changed(line, canary=arm_of(line, requests=1.5)),
            "bad.jsonl:3: canary: 1 requests, 2 errors": changed(line, canary=arm_of(line, requests=1, errors=2)),
            "bad.jsonl:3: canary.latency: 2 buckets, expected 81": changed(
                line, canary=arm_of(line, latency=[1, 2]), start=1005.0, end=1010.0
            ),
            "bad.jsonl:3: weight 120, expected 0 to 100": changed(lines[2], weight=120),
            "bad.jsonl:3: step 0, expected at least 1: steps are numbered from 1, in order": changed(lines[2], step=0),
            "bad.jsonl:3: starts at 1000.0, before the interval above it ended (1005.0)": line,
            "bad.jsonl:3: from 2000.0 to 1000.0": changed(line, start=2000.0, end=1000.0),
            "bad.jsonl:3: stable: Field required": json.dumps({"start": 1.0, "end": 2.0, "weight": 5, "canary": {}}),
        }
        for expected, bad in cases.items():
            assert self.refusal([head, line, bad]).startswith(expected), expected

    def test_a_file_that_is_not_there_or_not_text(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceError, match=r"none.jsonl: can't be read: No such file"):
            read_evidence(tmp_path / "none.jsonl")
        (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(EvidenceError, match=r"bytes.jsonl:1: not UTF-8 text"):
            read_evidence(tmp_path / "bytes.jsonl")
