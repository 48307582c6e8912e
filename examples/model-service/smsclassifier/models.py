"""The two models, their training, and the file they travel in."""

from __future__ import annotations

import csv
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smsclassifier.scoring import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sklearn.pipeline import Pipeline

LABELS = ("ham", "spam")
SEED = 7
HELD_OUT_FOLDS = 4
PROBES = ("", "see you there at 8", "WINNER!! Claim your free prize now: call 09012345678")


class ModelError(Exception):
    """The data set or a model file can't be used; says why and what to do."""


@dataclass(frozen=True)
class Message:
    """A row of the data set: its label, the phrase it is made from, its text."""

    label: str
    phrase: str
    sms: str


@dataclass(frozen=True)
class Scores:
    """What a model reached on the held-out messages; precision and recall are those of spam. All are shares."""

    messages: int
    accuracy: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        name: v1 or v2.
        pipeline: From texts to the probabilities of LABELS.
        scores: On messages of phrases it was not trained on.
        scorer: The pipeline, made quick for single messages.
    """

    name: str
    pipeline: Pipeline
    scores: Scores
    scorer: Scorer

    def classify(self, sms: str) -> tuple[str, float]:
        """The likelier label of a text, and its probability."""
        spam = self.scorer.spam(sms)
        return ("spam", spam) if spam > 0.5 else ("ham", 1 - spam)


def words() -> Pipeline:
    """Words and pairs of words, naive Bayes: what counts is which words appear."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), MultinomialNB(alpha=0.3))


def characters() -> Pipeline:
    """Runs of two to four characters, logistic regression: sees spelling, digits, links and case."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectors = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), lowercase=False, sublinear_tf=True, min_df=3, max_features=20_000
    )
    return make_pipeline(vectors, LogisticRegression(C=4.0, max_iter=400, random_state=SEED))


MODELS: dict[str, Callable[[], Pipeline]] = {"v1": words, "v2": characters}


def read_messages(path: Path) -> list[Message]:
    """The messages of a data set.

    Raises:
        ModelError: The file is missing, has other columns, or a label that is neither spam nor ham.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [Message(row["label"], row["phrase"], row["sms"]) for row in csv.DictReader(file)]
    except (OSError, KeyError) as error:
        raise ModelError(
            f"{path}: no data set with columns label, phrase and sms there ({error!r}). Run make_data.py"
        ) from error
    wrong = {row.label for row in rows} - set(LABELS)
    if wrong or not rows:
        raise ModelError(f"{path}: {len(rows)} rows, labels {sorted(wrong)} are none of {LABELS}. Run make_data.py")
    return rows


def train(name: str, messages: Sequence[Message]) -> Model:
    """Train a model on all messages, and score it with each message held out once together with its whole phrase.

    Raises:
        ModelError: There is no model of that name, or the messages are from fewer phrases than there are folds.
    """
    from sklearn.metrics import accuracy_score, precision_score, recall_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    if name not in MODELS:
        raise ModelError(f"MODEL is {name!r}, expected one of {', '.join(MODELS)}")
    phrases = [row.phrase for row in messages]
    if len(set(phrases)) < HELD_OUT_FOLDS:
        raise ModelError(f"{len(set(phrases))} phrases are too few to hold out, expected {HELD_OUT_FOLDS} or more")
    texts, truth = [row.sms for row in messages], [LABELS.index(row.label) for row in messages]
    folds = StratifiedGroupKFold(HELD_OUT_FOLDS, shuffle=True, random_state=SEED)
    found = cross_val_predict(MODELS[name](), texts, truth, groups=phrases, cv=folds)
    scores = Scores(
        len(texts),
        float(accuracy_score(truth, found)),
        float(precision_score(truth, found, zero_division=0.0)),
        float(recall_score(truth, found, zero_division=0.0)),
    )
    pipeline = MODELS[name]().fit(texts, truth)
    return Model(name, pipeline, scores, Scorer(pipeline))


def save(model: Model, path: Path) -> None:
    """Write a model's file."""
    import joblib

    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({"name": model.name, "pipeline": model.pipeline, "scores": asdict(model.scores)}, path, compress=3)


def load(path: Path) -> Model:
    """Read a model's file. It is a pickle: read only what this image's own build wrote.

    Raises:
        ModelError: The file is missing, or can't be read by the libraries that are installed.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one message at a time: threads would only cost
    import joblib

    try:
        stored = joblib.load(path)
        pipeline = stored["pipeline"]
        model = Model(stored["name"], pipeline, Scores(**stored["scores"]), Scorer(pipeline))
        differs = model.scorer.differs(pipeline, PROBES)
    except Exception as error:  # a pickle can fail with anything
        raise ModelError(
            f"{path} can't be loaded as a model ({error!r}). Run python3 -m smsclassifier.train"
        ) from error
    if differs > 1e-6:
        raise ModelError(f"{path}: the scorer differs from the trained pipeline by {differs:g}, expected below 1e-6")
    return model
