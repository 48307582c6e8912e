"""Write the data set: labelled text messages from phrases.py with the noise of real typing.

The seed is fixed, so the same file comes out each time. The column `phrase` says which way of writing a message is
from: messages are held out by whole phrases, so that no held-out message is a training message with another name filled
in. Messages of the phrases that could be either keep whichever label they drew, which bounds the score of any model.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from collections.abc import Iterator
from pathlib import Path

from phrases import EITHER, HAM, SLOTS, SPAM

SEED = 20_240_601
PER_PHRASE = 24
DEFAULT = Path(__file__).parent / "data" / "sms.csv"
SHORT = {
    "you": "u", "your": "ur", "are": "r", "please": "pls", "to": "2", "for": "4", "see": "c", "tomorrow": "tmrw",
    "text": "txt", "thanks": "thx", "message": "msg", "before": "b4", "great": "gr8", "tonight": "2nite",
}  # fmt: skip
OPENINGS = ["", "", "", "", "", "Hi, ", "Hey ", "Hello! ", "FYI: "]
CLOSINGS = ["", "", "", "", "", " x", " :)", "!", "...", " Thx", " Reply STOP to end", " - sent from my phone"]
AMOUNTS = ["120", "250", "350", "500", "750", "800", "1000", "1500", "2000", "5000"]
HOSTS = ["claim-now", "secure-verify", "parcel-fee", "win4u", "acc-update", "best-deal"]


def main() -> None:
    """Write the CSV and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=DEFAULT)
    output = parser.parse_args().output
    rows = list(messages(random.Random(SEED)))
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", "phrase", "sms"])
        writer.writerows(rows)
    spam = sum(label == "spam" for label, _, _ in rows)
    print(f"{output}: {len(rows)} messages, {spam} spam, {len(rows) - spam} ham")


def messages(rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """Rows of label, phrase and text, in random order, none twice."""
    rows: dict[str, tuple[str, str, str]] = {}
    for kind, phrases in (("spam", SPAM), ("ham", HAM), ("either", EITHER)):
        for number, phrase in enumerate(phrases):
            for _ in range(PER_PHRASE):
                label = rng.choice(["spam", "ham"]) if kind == "either" else kind
                text = noisy(filled(phrase, rng), rng)
                rows.setdefault(text, (label, f"{kind}-{number:02}", text))
    shuffled = list(rows.values())
    rng.shuffle(shuffled)
    yield from shuffled


def filled(phrase: str, rng: random.Random) -> str:
    """The phrase with each slot filled anew."""
    return re.sub(r"\{(\w+)\}", lambda found: slot(found[1], rng), phrase)


def slot(name: str, rng: random.Random) -> str:
    """A value for a slot: one of its words, or a number of its form."""
    if name in SLOTS:
        return rng.choice(SLOTS[name].split())
    made = {
        "amount": lambda: rng.choice("£€$") + rng.choice(AMOUNTS),
        "small": lambda: f"{rng.choice('£€$')}{rng.randint(1, 30)}.{rng.choice(['00', '50', '99', '45'])}",
        "time": lambda: rng.choice(
            [f"{rng.randint(1, 12)}pm", f"{rng.randint(8, 21)}:{rng.choice(['00', '15', '30'])}"]
        ),
        "premium": lambda: f"090{rng.randint(10_000_000, 99_999_999)}",
        "number": lambda: f"0{rng.randint(6, 7)}{rng.randint(10_000_000, 99_999_999)}",
        "short": lambda: str(rng.randint(60_000, 89_999)),
        "code": lambda: str(rng.randint(1000, 999_999)),
        "code4": lambda: f"{rng.randint(0, 9999):04}",
        "room": lambda: str(rng.randint(2, 9)),
        "pence": lambda: f"{rng.choice([10, 25, 50, 150])}p",
        "badlink": lambda: rng.choice(["http://", "", "www."]) + path(f"{rng.choice(HOSTS)}{rng.randint(1, 99)}", rng),
        "link": lambda: rng.choice(["https://", ""]) + path(rng.choice(SLOTS["shop"].split()).lower(), rng),
    }
    return made[name]()


def path(host: str, rng: random.Random) -> str:
    """A link to somewhere on a host that can't exist."""
    return f"{host}.example/{rng.choice('abcxyz')}{rng.randint(1, 999)}"


def noisy(text: str, rng: random.Random) -> str:
    """The text as somebody might have typed it: abbreviations, slips, case, an opening, a closing."""
    words = text.split(" ")
    if rng.random() < 0.35:
        words = [SHORT.get(word.lower(), word) if rng.random() < 0.7 else word for word in words]
    words = [slip(word, rng) if rng.random() < 0.03 else word for word in words]
    text = rng.choice(OPENINGS) + " ".join(words) + rng.choice(CLOSINGS)
    chance = rng.random()
    if chance < 0.2:
        return text.lower()
    return text.upper() if chance < 0.24 else text


def slip(word: str, rng: random.Random) -> str:
    """The word with one slip of the finger; short words and links are left alone."""
    if len(word) < 4 or "." in word:
        return word
    at = rng.randrange(1, len(word) - 1)
    return rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


if __name__ == "__main__":
    main()
