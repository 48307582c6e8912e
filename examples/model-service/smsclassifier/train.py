"""Train both models and write their files: python3 -m smsclassifier.train [--data CSV] [--output FOLDER]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from smsclassifier.models import MODELS, ModelError, read_messages, save, train

HOME = Path(__file__).parent.parent


def main() -> int:
    """Train, score, save; the exit code."""
    parser = argparse.ArgumentParser(description="Train both models and write their files.")
    parser.add_argument("--data", type=Path, default=HOME / "data" / "sms.csv")
    parser.add_argument("--output", type=Path, default=HOME / "models")
    chosen = parser.parse_args()
    try:
        messages = read_messages(chosen.data)
        for name in MODELS:
            model = train(name, messages)
            save(model, chosen.output / f"{name}.joblib")
            scores = model.scores
            print(
                f"{name} ({', '.join(type(step).__name__ for _, step in model.pipeline.steps)}): held-out accuracy "
                f"{scores.accuracy:.3f}, spam precision {scores.precision:.3f}, spam recall {scores.recall:.3f} "
                f"on {scores.messages} messages, each held out with its whole phrase"
            )
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
