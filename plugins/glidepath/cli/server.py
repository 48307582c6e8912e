"""Airflow's REST API, and Glidepath's own beside it, as a person's or a job's user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import click

from glidepath.errors import AskedError, NoReleaseError, ServerError, SetupError

if TYPE_CHECKING:
    from glidepath.status import Status

F = TypeVar("F", bound=Callable[..., Any])
TIMEOUT_S = 20.0
OPTIONS = (
    click.option("--airflow", envvar="GLIDEPATH_AIRFLOW_URL", required=True, metavar="URL", help="Airflow's address.  [env: GLIDEPATH_AIRFLOW_URL]"),
    click.option("--user", envvar="GLIDEPATH_AIRFLOW_USER", help="Who asks.  [env: GLIDEPATH_AIRFLOW_USER]"),
    click.option("--password-file", type=click.Path(exists=True, dir_okay=False), help="Its password; or env GLIDEPATH_AIRFLOW_PASSWORD, or a token in GLIDEPATH_AIRFLOW_TOKEN."),
)  # fmt: skip


def through_airflow(command: F) -> F:
    """Give a command the options that lead to Airflow; it gets them as `airflow`, `user` and `password_file`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def server(airflow: str, user: str | None, password_file: str | None, environment: Mapping[str, str]) -> Server:
    """The server that options and environment name.

    Raises:
        SetupError: The address is none, or there is no way to log in.
    """
    parts = urlsplit(airflow)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise SetupError("--airflow: expected http://HOST:PORT or https://HOST, without user and password")
    token, password = environment.get("GLIDEPATH_AIRFLOW_TOKEN"), environment.get("GLIDEPATH_AIRFLOW_PASSWORD")
    if password_file is not None:
        with open(password_file, encoding="utf-8") as file:
            password = file.read().strip()
    if not token and not (user and password):
        raise SetupError(
            "nobody to log in as; expected GLIDEPATH_AIRFLOW_TOKEN, or --user and a password by --password-file or "
            "GLIDEPATH_AIRFLOW_PASSWORD"
        )
    return Server(airflow.rstrip("/"), token or "", user or "", password or "")


class Server:
    """Airflow's API server.

    Args:
        url: Its address.
        token: What it gave a user; empty to log in by user and password.
        user, password: Who logs in.
    """

    def __init__(self, url: str, token: str = "", user: str = "", password: str = "") -> None:
        self.url, self._token, self._user, self._password = url, token, user, password

    def start(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run; the identity of its release.

        Raises:
            AskedError: The parameters, or the DAG, are none.
            ServerError: Airflow refused or did not answer.
        """
        body = {"logical_date": None, "conf": dict(conf)}
        begun = self.call("POST", f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns", body)
        return f"{dag_id}/{begun['dag_run_id']}"

    def state(self, release: str) -> str:
        """The state of a release's run, as Airflow has it.

        Raises:
            NoReleaseError: There is no such run.
            ServerError: As for `start`.
        """
        return str(self.call("GET", f"/api/v2/{_run(release)}")["state"])

    def status(self, release: str) -> Status:
        """How a release stands.

        Raises:
            NoReleaseError: Nothing is recorded of it.
            ServerError: As for `start`.
        """
        from pydantic import TypeAdapter

        from glidepath.status import Status

        status: Status = TypeAdapter(Status).validate_python(self.call("GET", _released(release))["status"])
        return status

    def waiting(self, service: str | None) -> list[str]:
        """The releases that wait for a person, of one service or of all."""
        query = f"&service={quote(service, safe='')}" if service else ""
        rows = self.call("GET", f"/glidepath/api/v1/releases?under_way=true&limit=500{query}")["releases"]
        return [str(row["id"]) for row in rows if row["state"] == "WAITING FOR YOU"]

    def answer(self, release: str, task: str, option: str) -> None:
        """Answer the question that a release's task asks in Airflow."""
        path = f"/api/v2/{_run(release)}/taskInstances/{quote(task, safe='')}/-1/hitlDetails"
        self.call("PATCH", path, {"chosen_options": [option], "params_input": {}})

    def ask(self, release: str, what: str, why: str) -> None:
        """Write down what is asked of a release, and why."""
        self.call("POST", f"{_released(release)}/words", {"what": what, "why": why})

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One call; its JSON.

        Raises:
            AskedError: It was refused for what was asked.
            NoReleaseError: It is not there.
            ServerError: It was refused otherwise, or not answered.
        """
        answer = self._sent(method, path, body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._user:  # a token runs out
            self._token = ""
            answer = self._sent(method, path, body)
        code, text = answer.status_code, f"{method} {self.url}{path}: {answer.status_code}: {_detail(answer)}"
        if code < HTTPStatus.BAD_REQUEST:
            return answer.json() if answer.content else None
        if code == HTTPStatus.NOT_FOUND:
            raise NoReleaseError(text)
        if code in (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise AskedError(text)
        raise ServerError(text)

    def _sent(self, method: str, path: str, body: object) -> Any:
        import requests

        try:
            if not self._token:
                self._login()
            headers = {"Authorization": f"Bearer {self._token}"}
            return requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=TIMEOUT_S)
        except (requests.RequestException, ValueError) as error:
            raise ServerError(f"{method} {self.url}{path}: no answer: {type(error).__name__}") from error

    def _login(self) -> None:
        import requests

        credentials = {"username": self._user, "password": self._password}
        answer = requests.post(f"{self.url}/auth/token", json=credentials, timeout=TIMEOUT_S)
        if not answer.ok:
            raise ServerError(f"{self.url}/auth/token does not let {self._user!r} in: {answer.status_code}")
        self._token = str(answer.json()["access_token"])


def _run(release: str) -> str:
    dag_id, _, run_id = release.partition("/")
    return f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"


def _released(release: str) -> str:
    dag_id, _, run_id = release.partition("/")
    return f"/glidepath/api/v1/releases/{quote(dag_id, safe='')}/{quote(run_id, safe='')}"


def _detail(answer: Any) -> str:
    """What an answer says, shortened; FastAPI's errors have it as `detail`."""
    try:
        detail = answer.json().get("detail", answer.text)
    except (ValueError, AttributeError):
        detail = answer.text
    return str(detail)[:500]
