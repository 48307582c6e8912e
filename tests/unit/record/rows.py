"""A row of the record."""

from __future__ import annotations

from glidepath.record import Release

RELEASE = Release(
    id="dag/run", service="model-service", namespace="sms-app", stable="v1", canary="v2", spec={"steps": [1]},
    plan={"x": 0.1}, token=None, phase="planned", outcome=None, reason=None, code_version="abc", created=5.0, closed=None,
)  # fmt: skip
