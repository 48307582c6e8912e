"""Airflow's REST API, and Glidepath's own beside it, as a person's or a job's user."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import click

from glidepath.cli.answers import detail, told, unmoved, whole
from glidepath.errors import AskedError, GlidepathError, LostError, NoReleaseError, ServerError, SetupError

if TYPE_CHECKING:
    import requests

    from glidepath.policy import Policy
    from glidepath.status import Row, Status

F = TypeVar("F", bound=Callable[..., Any])
TIMEOUT_S = 20.0
# How many releases the API lists at most.
MOST = 500
URL_ENV = "GLIDEPATH_AIRFLOW_URL"
WHO_OPTIONS = (
    click.option("--user", envvar="GLIDEPATH_AIRFLOW_USER", help="Who asks Airflow.  [env: GLIDEPATH_AIRFLOW_USER]"),
    click.option("--password-file", type=click.Path(exists=True, dir_okay=False), help="Its password; or env GLIDEPATH_AIRFLOW_PASSWORD, or a token in GLIDEPATH_AIRFLOW_TOKEN."),
)  # fmt: skip


def airflow_option(required: bool, otherwise: str = "") -> Callable[[F], F]:
    """The option that says where Airflow is, and what goes where it does not say so."""
    told = f"Airflow's address{otherwise}.  [env: {URL_ENV}]"
    return click.option("--airflow", envvar=URL_ENV, required=required, metavar="URL", help=told)


def through_airflow(command: F) -> F:
    """Give a command the options that lead to Airflow; it gets them as `airflow`, `user` and `password_file`."""
    for option in reversed((airflow_option(required=True), *WHO_OPTIONS)):
        command = option(command)
    return command


def server(airflow: str, user: str | None, password_file: str | None, environment: Mapping[str, str]) -> Server:
    """The server that options and environment name.

    Raises:
        SetupError: The address is none, or there is no way to log in.
    """
    try:
        parts = urlsplit(airflow)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port that is no number, or half of an IPv6 address
        right = False
    if not right or "?" in airflow or "#" in airflow:
        raise SetupError(
            "--airflow: expected http://HOST:PORT or https://HOST, without user and password, and without a query"
        )
    token, password = environment.get("GLIDEPATH_AIRFLOW_TOKEN", ""), environment.get("GLIDEPATH_AIRFLOW_PASSWORD")
    token = token.strip()
    if password_file is not None:
        try:
            with open(password_file, encoding="utf-8") as file:
                password = file.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"--password-file {password_file}: can't be read: expected a text file") from error
    if not token and not (user and password):
        raise SetupError(
            "nobody to log in as; expected GLIDEPATH_AIRFLOW_TOKEN, or --user and a password by --password-file or "
            "GLIDEPATH_AIRFLOW_PASSWORD"
        )
    return Server(airflow.rstrip("/"), token, user or "", password or "")


class Server:
    """Airflow's API server.

    Args:
        url: Its address.
        token: What it gave a user; empty to log in by user and password.
        user, password: Who logs in.
    """

    def __init__(self, url: str, token: str = "", user: str = "", password: str = "") -> None:
        self.url, self._token, self._user, self._password = url, token, user, password
        self._latest: tuple[str, str, Status] | None = None

    def start(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run; the identity of its release. It is named here, so that it is found where the answer gets lost.

        Raises:
            AskedError: The parameters, or the DAG, are none.
            LostError: Airflow did not answer, and does not say either whether it began.
            ServerError: It lets nobody in, or is not Airflow.
        """
        self._enter()
        release = f"{dag_id}/manual__{datetime.now(UTC).isoformat()}"
        body = {"dag_run_id": release.partition("/")[2], "logical_date": None, "conf": dict(conf)}
        try:
            begun = self._answered("POST", f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns", body, {})
        except LostError as error:
            if self._has(release):
                return release
            raise LostError(
                f"{error}. Whether it has begun is not known: look for the run {release} before another is started"
            ) from error
        return told(begun, lambda said: f"{dag_id}/{said['dag_run_id']}")

    def _has(self, release: str) -> bool:
        """Whether there is such a run, as far as Airflow says."""
        try:
            return bool(self.state(release))
        except GlidepathError:
            return False

    def state(self, release: str) -> str:
        """The state of a release's run, as Airflow has it.

        Raises:
            NoReleaseError: There is no such run.
            ServerError: As for `start`.
        """
        return told(self._answered("GET", f"/api/v2/{_run(release)}", None, {}), lambda said: str(said["state"]))

    def status(self, release: str) -> Status:
        """How a release stands; where nothing is new, the server is asked for no more than that.

        Raises:
            NoReleaseError: Nothing is recorded of it.
            ServerError: As for `start`.
        """
        from pydantic import TypeAdapter

        from glidepath.status import Status

        path, known = _released(release), self._latest if self._latest and self._latest[0] == release else None
        answer = self._answered("GET", path, None, {"If-None-Match": known[1]} if known else {})
        if known and answer.status_code == HTTPStatus.NOT_MODIFIED:
            return replace(known[2], now=time.time())
        status: Status = told(answer, lambda said: TypeAdapter(Status).validate_python(said["status"]))
        self._latest = (release, answer.headers.get("ETag", ""), status)
        return status

    def listed(self, limit: int, service: str | None) -> list[Row]:
        """The newest releases that the user may read."""
        return self._rows(limit, service)

    def under_way(self, service: str | None) -> list[str]:
        """The identities of the releases that are not over, the newest first."""
        return [row.id for row in self._rows(MOST, service, under_way=True)]

    def waiting(self, service: str | None) -> list[str]:
        """The releases that wait for a person, of one service or of all."""
        from glidepath.status.form import State

        return [row.id for row in self._rows(MOST, service, under_way=True) if row.state == State.WAITING]

    def _rows(self, limit: int, service: str | None, under_way: bool = False) -> list[Row]:
        from pydantic import TypeAdapter

        from glidepath.status import Row

        asked = {"limit": limit, "under_way": str(under_way).lower()} | ({"service": service} if service else {})
        answer = self._answered("GET", f"/glidepath/api/v1/releases?{urlencode(asked)}", None, {})
        return told(answer, lambda said: TypeAdapter(list[Row]).validate_python(said["releases"]))

    def answer(self, release: str, task: str, option: str) -> None:
        """Answer the question that a release's task asks in Airflow."""
        path = f"/api/v2/{_run(release)}/taskInstances/{quote(task, safe='')}/-1/hitlDetails"
        self.call("PATCH", path, {"chosen_options": [option], "params_input": {}})

    def ask(self, release: str, what: str, why: str, dry_run: bool = False) -> str:
        """Write down what is asked of a release, and why, or only see whether it can be; who asks, as Airflow knows them.

        Raises:
            AskedError: It can't be asked now, or not with this reason.
            NoReleaseError: There is no such release.
            ServerError: As for `start`.
        """
        from glidepath.release.asking import reasoned, refused

        reason = reasoned(why)
        if not dry_run:
            said = self._answered("POST", f"{_released(release)}/words", {"what": what, "why": reason}, {})
            word = told(said, lambda word: {"what": word["what"], **word})
            return str(word.get("who") or self._user)
        status = self.status(release)
        if what not in status.actions:
            raise refused(release, what, str(status.banner.state), status.actions)
        return self._user

    def evidence(self, release: str) -> str:
        """What a release was judged by, as JSON Lines."""
        return whole(self._answered("GET", f"{_released(release)}/evidence", None, {}), "evidence")

    def report(self, release: str, form: str, policies: Mapping[str, Policy]) -> str:
        """A release's report in one of its forms.

        Raises:
            SetupError: Other policies are asked about, which takes the record.
            NoReleaseError: There is no such release.
            ServerError: As for `start`.
        """
        if policies:
            raise SetupError(
                "--policy: what another policy would have decided is not told through Airflow; expected --record, or: glidepath export, "
                "then glidepath backtest"
            )
        return whole(self._answered("GET", f"{_released(release)}/report?form={form}", None, {}), form)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One call; its JSON.

        Raises:
            AskedError: It was refused for what was asked, or for a token that ran out.
            NoReleaseError: It is not there.
            ServerError: It was refused otherwise, or not answered.
        """
        answer = self._answered(method, path, body, {})
        return told(answer, lambda said: said) if answer.content else None

    def _answered(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> requests.Response:
        """An answer that is none of a refusal; errors as `call` has them."""
        answer = self._sent(method, path, body, headers)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._user:  # a token runs out
            self._token = ""
            answer = self._sent(method, path, body, headers)
        code, what = answer.status_code, f"{method} {self.url}{path}: {answer.status_code}"
        unmoved(answer, what)
        if code < HTTPStatus.BAD_REQUEST:
            return answer
        text = f"{what}: {detail(answer)}"
        if code == HTTPStatus.UNAUTHORIZED and not self._user:
            raise AskedError(f"{text}: the token in GLIDEPATH_AIRFLOW_TOKEN is no longer good, or never was")
        if code == HTTPStatus.NOT_FOUND:
            raise NoReleaseError(text)
        if code in (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise AskedError(text)
        raise LostError(text) if code >= HTTPStatus.INTERNAL_SERVER_ERROR else ServerError(text)

    def _sent(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> requests.Response:
        import requests

        self._enter()
        try:
            return requests.request(
                method, f"{self.url}{path}", json=body, headers=dict(headers), timeout=TIMEOUT_S, auth=self._signed,
                allow_redirects=False,
            )  # fmt: skip
        except (requests.RequestException, ValueError) as error:
            raise LostError(f"{method} {self.url}{path}: no answer: {type(error).__name__}") from error

    def _enter(self) -> None:
        """Log in, where that has not been done."""
        import requests

        if not self._token:
            try:
                self._login()
            except (requests.RequestException, ValueError) as error:
                raise ServerError(f"POST {self.url}/auth/token: no answer: {type(error).__name__}") from error

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As a header alone it would give way to what a `.netrc` has.
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _login(self) -> None:
        import requests

        credentials = {"username": self._user, "password": self._password}
        # Never sent on: it has the password.
        answer = requests.post(f"{self.url}/auth/token", json=credentials, timeout=TIMEOUT_S, allow_redirects=False)
        unmoved(answer, f"POST {self.url}/auth/token: {answer.status_code}")
        if not answer.ok:
            raise ServerError(f"{self.url}/auth/token does not let {self._user!r} in: {answer.status_code}")
        self._token = told(answer, lambda said: str(said["access_token"]))


def _run(release: str) -> str:
    dag_id, _, run_id = release.partition("/")
    return f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"


def _released(release: str) -> str:
    dag_id, _, run_id = release.partition("/")
    return f"/glidepath/api/v1/releases/{quote(dag_id, safe='')}/{quote(run_id, safe='')}"
