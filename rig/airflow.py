"""Airflow standalone as a background process, and its REST API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from rig.environment import REPO, USERS, RigError, airflow_environment, free_port

START_TIMEOUT_S = 180
DONE = ("success", "failed")
# How often what only reads is asked of an Airflow that does not answer in time.
READS = 3


class Airflow:
    """One Airflow standalone: SQLite, LocalExecutor, fixed users.

    Args:
        home: Its folder; made when it is not there.
        policies: The folder of policies it builds DAGs of.
        command: What starts it; its last word tells the parent process from others.
        extra: Laid over its environment, read at each start.
    """

    patience_s: float = START_TIMEOUT_S

    def __init__(
        self,
        home: Path,
        policies: Path = REPO / "include" / "policies",
        command: Sequence[str] = ("airflow", "standalone"),
        extra: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.home, self.policies, self.command, self.extra = home, policies, command, extra
        self._file = home / "standalone.json"
        self._tokens: dict[str, str] = {}

    @property
    def port(self) -> int:
        """The API server's port, as the last start wrote it down."""
        return int(json.loads(self._file.read_text())["port"])

    @property
    def url(self) -> str:
        """Where a person looks."""
        return f"http://localhost:{self.port}"

    def environment(self, port: int) -> dict[str, str]:
        """What its processes have."""
        return {**airflow_environment(self.home, port, self.policies), **self.extra()}

    def prepare(self) -> None:
        """Write down what its processes need before they start: nothing of this one."""

    def started(self, pid: int) -> None:
        """Give its parent process what it needs from outside: nothing of this one."""

    def pid(self) -> int | None:
        """The running parent process, if it lives and is ours."""
        if not self._file.exists():
            return None
        pid = int(json.loads(self._file.read_text())["pid"])
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return None
        return pid if self.command[-1].encode() in command else None

    def start(self) -> None:
        """Start it and wait until every component is healthy; running already, nothing is done.

        Raises:
            RigError: Not healthy in time; names the log.
        """
        if self.pid() is not None and self.healthy():
            return
        self.stop()
        self.home.mkdir(parents=True, exist_ok=True)
        port = free_port(int(os.environ.get("GLIDEPATH_AIRFLOW_PORT", "8080")))
        passwords = self.home / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({name: name for name in USERS}))
        env = self.environment(port)
        self.prepare()
        with (self.home / "standalone.log").open("ab") as log:
            process = subprocess.Popen(
                list(self.command),
                env=env,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell's `&` leaves SIGINT ignored, and then nothing could end it in order.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        self._file.write_text(json.dumps({"pid": process.pid, "port": port}))
        self.started(process.pid)
        started = time.monotonic()
        while not self.healthy():
            if process.poll() is not None or time.monotonic() - started > self.patience_s:
                raise RigError(f"Airflow is not healthy; see {self.home / 'standalone.log'}")
            time.sleep(1)

    def stop(self) -> None:
        """End it in order, then by force."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        for _ in range(40):
            if self.pid() is None:
                break
            time.sleep(0.5)
        self.kill(pid)

    def kill(self, pid: int | None = None) -> None:
        """kill -9 of every process of it: what a lost machine looks like from outside."""
        session = pid or self.pid()
        if session is None:
            return
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    of = int((process / "stat").read_text().rsplit(")", 1)[1].split()[3])
                    if of == session:
                        os.kill(int(process.name), signal.SIGKILL)
                except (OSError, IndexError):
                    continue

    def healthy(self) -> bool:
        """Whether every component says that it lives."""
        try:
            health = requests.get(f"{self.url}/api/v2/monitor/health", timeout=3).json()
        except (requests.RequestException, OSError, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def call(self, method: str, path: str, body: Any = None, user: str = "admin") -> Any:
        """One call of the REST API.

        Raises:
            RigError: An answer of 400 or more, with its text.
        """
        answer = self._ask(method, path, body, user)
        if answer.status_code in (401, 403) and "JWT" in answer.text:
            # It has run out, or its clock has stepped.
            del self._tokens[user]
            answer = self._ask(method, path, body, user)
        if answer.status_code >= 400:
            raise RigError(f"{method} {path}: {answer.status_code} {answer.text[:800]}")
        return answer.json() if answer.content else None

    def _ask(self, method: str, path: str, body: Any, user: str) -> requests.Response:
        if user not in self._tokens:
            given = requests.post(f"{self.url}/auth/token", json={"username": user, "password": user}, timeout=10)
            self._tokens[user] = given.json()["access_token"]
        headers = {"Authorization": f"Bearer {self._tokens[user]}"}
        tries = READS if method == "GET" else 1
        while True:
            tries -= 1
            try:
                return requests.request(method, f"{self.url}/api/v2{path}", json=body, headers=headers, timeout=20)
            except requests.ReadTimeout:  # on a busy machine; what only reads may be asked again
                if not tries:
                    raise

    def wait_dag(self, dag_id: str, timeout_s: float = 120) -> None:
        """Wait until a DAG is there.

        Raises:
            RigError: It isn't; the import errors are in the message.
        """
        started = time.monotonic()
        while True:
            try:
                self.call("GET", f"/dags/{dag_id}")
                return
            except RigError as error:
                if time.monotonic() - started > timeout_s:
                    raise RigError(f"no DAG {dag_id}: {self.call('GET', '/importErrors')} ({error})") from error
            time.sleep(1)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run; its id."""
        return str(self.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """The run's state."""
        return str(self.call("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")["state"])

    def wait_run(self, dag_id: str, run_id: str, timeout_s: float) -> str:
        """Wait until a run has ended; its state.

        Raises:
            RigError: It has not within `timeout_s`.
        """
        started = time.monotonic()
        while (now := self.state(dag_id, run_id)) not in DONE:
            if time.monotonic() - started > timeout_s:
                raise RigError(
                    f"run {run_id} of {dag_id} is {now} after {timeout_s:.0f} s: {self.tasks(dag_id, run_id)}"
                )
            time.sleep(2)
        return now

    def dag_tasks(self, dag_id: str) -> set[str]:
        """The tasks of a DAG, as Airflow has read it last."""
        return {str(row["task_id"]) for row in self.call("GET", f"/dags/{dag_id}/tasks")["tasks"]}

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Every task's state."""
        rows = self.call("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances?limit=200")
        return {row["task_id"]: str(row["state"]) for row in rows["task_instances"]}

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        """A task's log as text."""
        path = (
            f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}/logs/{attempt}?full_content=true"
        )
        rows = self.call("GET", path)["content"]
        return "\n".join(_line(row) for row in rows)


def _line(row: Any) -> str:
    """A log row: its text, and the words of the exceptions it carries."""
    if isinstance(row, str):
        return row
    errors = [str(one.get("exc_value", "")) for one in row.get("error_detail") or []]
    return " ".join([str(row.get("event", row)), *errors])
