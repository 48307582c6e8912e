"""Recorded releases judged again: as they were, and by another policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glidepath.errors import EvidenceError
from glidepath.gate import settings_of
from glidepath.judge import Interval, Judge, Look, Numbering, Verdict, plan_judgement
from glidepath.policy import Policy
from glidepath.record import Record
from glidepath.replay import Recording, backtest, export, looks, replanned, replay, write_evidence
from glidepath.replay.decisions import decided
from glidepath.replay.decisions import recorded as recorded_as
from glidepath.replay.evidence import Recorded
from tests.unit.judge.traffic import EDGES, arm
from tests.unit.replay.world import policy


@pytest.mark.parametrize("name", ["good", "bad"])
def test_a_replay_is_the_live_release_to_the_bit(record: Record, name: str) -> None:
    live = [Look.from_dict(look) for _, _, look in record.looks(name)]
    assert list(replay(export(record, name))) == live
    assert live[-1].verdict is (Verdict.PASS if name == "good" else Verdict.FAIL)


class TestAnotherPolicy:
    def test_the_same_policy_plans_the_same(self, record: Record) -> None:
        evidence = export(record, "good")
        assert replanned(evidence, policy()) == evidence.header.plan

    def test_its_limits_count(self, record: Record) -> None:
        evidence = export(record, "bad")
        lax = replanned(evidence, policy("safety_margin: 0.006", "harm_margin: 0.05, safety_margin: 0.06"))
        assert lax.metrics[0].limit == pytest.approx(0.05)
        assert all(look.verdict is not Verdict.FAIL for look in replay(evidence, lax))

    def test_the_recorded_weights_stay(self, record: Record) -> None:
        plan = replanned(export(record, "good"), policy("- {weight: 50, bake: 60s, min_requests: 2000}\n"))
        assert [(one.weight, one.bake_s) for one in plan.settings.steps] == [(20, 30.0), (50, 30.0)]

    def test_a_record_without_a_baseline_says_so(self, record: Record) -> None:
        evidence = export(record, "good")
        old = replace(evidence, header=replace(evidence.header, plan=replace(evidence.header.plan, baseline=None)))
        with pytest.raises(EvidenceError, match="without the baseline's counts"):
            replanned(old, policy())


class TestDecisions:
    def test_a_backtest_names_what_would_change(self, folder: Path) -> None:
        same = {one.name: one for one in backtest(policy(), folder)}
        assert not any(one.changed for one in same.values())
        assert {name: one.judged.word for name, one in same.items()} == {
            "bad.jsonl": "rollback",
            "good.jsonl": "promote",
        }
        for one in same.values():
            assert one.judged.after_s == one.recorded.after_s
        lax = policy("safety_margin: 0.006", "harm_margin: 0.05, safety_margin: 0.06")
        later = {one.name: one for one in backtest(lax, folder)}
        assert later["bad.jsonl"].changed
        assert later["bad.jsonl"].judged.word == "undecided"
        assert not later["good.jsonl"].changed

    def test_time_that_is_over_is_the_policys_word(self, record: Record) -> None:
        evidence = export(record, "good")
        short: Policy = policy("max_duration: 20m", "max_duration: 95s\non_undecided: promote")
        said = list(replay(evidence, replanned(evidence, short)))
        assert decided(evidence, said, short).word == "promote"
        assert decided(evidence, said, short).after_s == 85  # it was planned 10 s before the first interval
        assert decided(evidence, said[:5], short).word == "undecided"
        silent = [*said[:10], said[10].without_data(1200.0, "away")]
        assert decided(evidence, silent, short).word == "rollback"  # silence never promotes
        assert decided(evidence, [], short).word == "undecided"
        last = said[5]
        for doubt in ({"suspicious": True}, {"reason": "not_counted"}, {"verdict": Verdict.NO_DATA}):
            doubted = [replace(last, at=1085.0, **doubt)]  # type: ignore[arg-type]
            for answer, word in (("promote", "rollback"), ("hold", "hold"), ("rollback", "rollback")):
                other = policy("max_duration: 20m", f"max_duration: 95s\non_undecided: {answer}")
                assert decided(evidence, doubted, other).word == word

    def test_a_promotion_that_its_window_took_back(self, record: Record) -> None:
        evidence = export(record, "good")
        last = evidence.lines[-1]
        assert isinstance(last, Recorded)
        assert recorded_as(evidence).word == "promote"
        failed = replace(
            last, start=last.end, end=last.end + 5, weight=95, step=9, verdict=Verdict.FAIL, reason="harm_proven"
        )
        for outcome in ("rolled_back", None):
            header = replace(evidence.header, outcome=outcome)
            told = recorded_as(replace(evidence, header=header, lines=(*evidence.lines, failed)))
            assert (told.word, told.reason) == ("rollback", "harm_proven")
        asked = replace(evidence.header, outcome="rolled_back", reason="taken back by ada: why")
        told = recorded_as(replace(evidence, header=asked))
        assert (told.word, told.reason) == ("rollback", "taken back by ada: why")

    def test_an_old_recording_that_has_no_steps_is_judged_the_same(self, record: Record) -> None:
        evidence = export(record, "good")
        lines = tuple(replace(one, step=None) if isinstance(one, Recorded) else one for one in evidence.lines)
        assert any(isinstance(one, Recorded) and (one.step or 0) > 1 for one in evidence.lines)
        assert list(replay(replace(evidence, lines=lines))) == list(replay(evidence))

    @pytest.mark.parametrize("step", [9, None], ids=["numbered", "of old"])
    def test_harm_in_the_observation_takes_a_promotion_back_if_the_policy_judges_there(
        self, record: Record, step: int | None
    ) -> None:
        evidence = export(record, "good")
        last = evidence.lines[-1]
        assert isinstance(last, Recorded)
        lines, random = list(evidence.lines), np.random.default_rng(3)
        if step is None:  # as older code recorded it
            lines = [replace(one, step=None) if isinstance(one, Recorded) else one for one in lines]
        for number in range(30):
            start = last.end + 5 * number
            arms = {"stable": arm(random, 25), "canary": arm(random, 475, 0.2 if number > 5 else 0.005)}
            lines.append(replace(last, start=start, end=start + 5, weight=95, step=step, **arms))  # type: ignore[arg-type]
        longer = replace(evidence, lines=tuple(lines))
        words = {}
        for window in ("", "{warm: 60s, holdback: 5}", "{warm: 60s}", "{warm: 10s, holdback: 5}"):
            asked = policy(
                "max_duration: 20m", "max_duration: 20m" + (f"\nafter_promotion: {window}" if window else "")
            )
            said = decided(longer, list(replay(longer, replanned(longer, asked))), asked)
            words[window] = said.word
            if said.word == "rollback":
                assert said.reason == "harm_proven errors in the observation after promotion"
                assert said.after_s > last.end + 30 - 1000
        assert words == {
            "": "promote",
            "{warm: 60s, holdback: 5}": "rollback",
            "{warm: 60s}": "promote",
            "{warm: 10s, holdback: 5}": "promote",
        }
        assert decided(longer, list(replay(longer)), None).word == "rollback"

    def test_an_empty_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceError, match=r"no \*.jsonl in it"):
            list(backtest(policy(), tmp_path))


class TestEntry:
    def intervals(self) -> list[Interval]:
        random = np.random.default_rng(4)
        past = [Interval(5 * n, 5 * n + 5, 0, arm(random, 500), arm(random, 0)) for n in range(120)]
        weights = [20] * 10 + [50] * 10
        return past + [
            Interval(600 + 5 * n, 605 + 5 * n, weight, arm(random, 5 * (100 - weight)), arm(random, 5 * weight))
            for n, weight in enumerate(weights)
        ]

    def test_intervals_of_weight_0_are_the_baseline(self) -> None:
        given = self.intervals()
        said = list(looks(policy(), given, EDGES))
        assert [one.weight for one in said] == [20] * 10 + [50] * 10
        baseline = given[0].stable
        for one in given[1:120]:
            baseline = baseline.plus(one.stable)
        judge = Judge(plan_judgement(settings_of(policy()), baseline, 600.0, EDGES, baseline.requests / 600))
        steps = Numbering()
        assert said == [judge.look(steps.numbered(one)) for one in given[120:]]
        assert said == list(looks(policy(), given[120:], EDGES, baseline, 600.0))

    def test_without_a_past_nothing_is_judged(self) -> None:
        with pytest.raises(EvidenceError, match="no past of the stable version"):
            list(looks(policy(), self.intervals()[120:], EDGES))


def test_no_recorded_verdict_is_judged_by_its_own_plan(record: Record, tmp_path: Path) -> None:
    evidence = export(record, "bad")
    bare = tuple(
        replace(line, verdict=None, reason=None) if hasattr(line, "weight") else line for line in evidence.lines
    )
    with (tmp_path / "bare.jsonl").open("w") as file:
        write_evidence(Recording("bare", evidence.header, bare), file)
    (change,) = backtest(policy(), tmp_path)
    assert (change.recorded.word, change.changed) == ("rollback", False)


def test_a_release_that_was_never_judged(record: Record, tmp_path: Path) -> None:
    empty = Record(f"sqlite:///{tmp_path}/r.db")
    empty.open_release(replace(record.get("good"), id="none", plan=None, phase="nothing_to_do"))
    with pytest.raises(EvidenceError, match="has no plan"):
        export(empty, "none")
