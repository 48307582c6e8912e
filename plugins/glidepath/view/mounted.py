"""What Airflow mounts. Every task process reads the plugin, and only the API server needs the application behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

PREFIX = "/glidepath"
Message = MutableMapping[str, Any]


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The application, loaded at its first request."""
    from glidepath.view.app import app

    await app(scope, receive, send)


FASTAPI_APP = {"app": application, "url_prefix": PREFIX, "name": "Glidepath"}
# Airflow resolves them from where it is mounted itself.
BUNDLE = f"{PREFIX.removeprefix('/')}/static/airflow.js"
REACT_APPS = [
    {"name": "Releases", "bundle_url": BUNDLE, "destination": "nav", "url_route": "releases", "nav_top_level": True},
    {"name": "Release", "bundle_url": BUNDLE, "destination": "dag_run", "url_route": "release"},
]
