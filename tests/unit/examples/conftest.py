"""The service and the generator are programs of their own, in folders of their own: put them on the path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
for folder in ("model-service", "traffic"):
    sys.path.insert(0, str(EXAMPLES / folder))

from smsclassifier.models import Model, read_messages, train  # noqa: E402


@pytest.fixture(scope="session")
def small() -> dict[str, Model]:
    """Both models, really trained, on a fifth of the messages."""
    messages = read_messages(EXAMPLES / "model-service" / "data" / "sms.csv")[::5]
    return {name: train(name, messages) for name in ("v1", "v2")}
