from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import make_data
import phrases
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smsclassifier.models import Message, Model, ModelError, load, read_messages, save, train
from smsclassifier.scoring import Scorer

DATA = make_data.DEFAULT


def test_data_set_is_what_make_data_writes() -> None:
    made = [Message(*row) for row in make_data.messages(random.Random(make_data.SEED))]
    assert read_messages(DATA) == made


def test_data_set_is_balanced_and_has_ambiguous_messages() -> None:
    rows = read_messages(DATA)
    assert 0.4 < sum(row.label == "spam" for row in rows) / len(rows) < 0.6
    either = {row.label for row in rows if row.phrase.startswith("either")}
    assert either == {"spam", "ham"}
    assert len({row.sms for row in rows}) == len(rows)


def test_every_slot_of_every_phrase_can_be_filled() -> None:
    rng = random.Random(1)
    for phrase in (*phrases.SPAM, *phrases.HAM, *phrases.EITHER):
        assert "{" not in make_data.filled(phrase, rng)


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_held_out_scores_are_good_but_not_perfect(small: dict[str, Model], name: str) -> None:
    scores = small[name].scores
    for score in (scores.accuracy, scores.precision, scores.recall):
        assert 0.65 < score < 0.99


def test_the_two_models_differ(small: dict[str, Model]) -> None:
    texts = [row.sms for row in read_messages(DATA)[:300]]
    told = [[model.classify(text) for text in texts] for model in small.values()]
    assert sum(abs(a[1] - b[1]) > 0.01 for a, b in zip(*told, strict=True)) > 200


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_the_table_answers_as_the_pipeline(small: dict[str, Model], name: str) -> None:
    texts = [row.sms for row in read_messages(DATA)[:200]] + ["", "  ", "\ud800", "zzzz qqqq", "free " * 500]
    assert Scorer(small[name].pipeline).differs(small[name].pipeline, texts) < 1e-9


@given(text=st.text(max_size=300))
def test_any_text_has_a_label_and_a_confidence(small: dict[str, Model], text: str) -> None:
    for model in small.values():
        label, confidence = model.classify(text)
        assert label in ("spam", "ham")
        assert 0.5 <= confidence <= 1


def test_obvious_messages(small: dict[str, Model]) -> None:
    for model in small.values():
        assert model.classify("WINNER!! You have won a £500-voucher, call 09012345678 now to claim")[0] == "spam"
        assert model.classify("ok see you there at lunch, I'll be 10 minutes late")[0] == "ham"


def test_a_model_survives_its_file(small: dict[str, Model], tmp_path: Path) -> None:
    save(small["v2"], tmp_path / "models" / "v2.joblib")
    read = load(tmp_path / "models" / "v2.joblib")
    assert (read.name, read.scores) == ("v2", small["v2"].scores)
    assert read.classify("call now to claim") == small["v2"].classify("call now to claim")


def test_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"v1\.joblib can't be loaded .*Run python3 -m smsclassifier\.train"):
        load(tmp_path / "v1.joblib")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "v1.joblib").write_text("no pickle")
    with pytest.raises(ModelError, match="can't be loaded as a model"):
        load(tmp_path / "v1.joblib")


def test_a_scorer_that_disagrees_is_refused(
    small: dict[str, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(dataclasses.replace(small["v1"], name="v1"), tmp_path / "v1.joblib")
    monkeypatch.setattr(Scorer, "differs", lambda *_: 0.2)
    with pytest.raises(ModelError, match=r"differs from the trained pipeline by 0\.2"):
        load(tmp_path / "v1.joblib")


def test_unknown_model() -> None:
    with pytest.raises(ModelError, match="MODEL is 'v9', expected one of v1, v2"):
        train("v9", [])


def test_too_few_phrases() -> None:
    with pytest.raises(ModelError, match="1 phrases are too few to hold out, expected 4 or more"):
        train("v1", [Message("ham", "a", "hello")])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("label,sms\nham,hi\n", "columns label, phrase and sms"),
        ("label,phrase,sms\nhum,a,hi\n", "labels \\['hum'\\]"),
        ("label,phrase,sms\n", "0 rows"),
        (None, "no data set"),
    ],
)
def test_bad_data_set(tmp_path: Path, content: str | None, match: str) -> None:
    if content is not None:
        (tmp_path / "sms.csv").write_text(content)
    with pytest.raises(ModelError, match=match):
        read_messages(tmp_path / "sms.csv")
