"""Postgres and the broker: found, or said what to install; run without rights; on one address."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from rig.distributed import backing
from rig.distributed.backing import as_user, broker_program, create_command, make_database, postgres_folder, services
from rig.environment import RigError


def programs(root: Path, *versions: str) -> Path:
    for version in versions:
        (root / version / "bin").mkdir(parents=True)
        (root / version / "bin" / "initdb").touch()
    return root


def test_the_newest_postgres_is_taken_by_its_number(tmp_path: Path) -> None:
    assert postgres_folder(programs(tmp_path, "9", "15", "13")).parent.name == "15"


def test_a_missing_postgres_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "15" / "bin").mkdir(parents=True)  # only its client
    with pytest.raises(RigError, match="apt-get install postgresql"):
        postgres_folder(tmp_path)


def test_valkey_comes_before_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RigError, match="apt-get install redis-server"):
        broker_program()
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
        assert broker_program() == str(tmp_path / name)


def test_a_command_runs_without_rights() -> None:
    found = pwd.getpwnam("nobody")
    assert as_user("nobody", "true")[:4] == (
        "setpriv", f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--clear-groups",
    )  # fmt: skip
    assert found.pw_uid != 0


def test_a_user_that_is_missing_is_said() -> None:
    with pytest.raises(RigError, match="no user nosuchuser"):
        as_user("nosuchuser", "true")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = programs(tmp_path / "postgresql", "15")
    monkeypatch.setattr(backing, "postgres_folder", lambda: root / "15" / "bin")
    monkeypatch.setattr(backing, "broker_program", lambda: "/usr/bin/redis-server")
    monkeypatch.setattr(backing, "as_user", lambda name, *command: ("as", name, *command))
    return root


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.usefixtures("installed")
def test_no_other_user_of_the_machine_can_have_workers_run_something(tmp_path: Path) -> None:
    _, broker = services(tmp_path / "data", "198.19.254.2", "secret")
    told = tmp_path / "broker.conf"
    assert "requirepass secret\n" in told.read_text()
    assert (told.stat().st_mode & 0o777, told.owner()) == (0o600, "nobody")
    assert broker.command[-1] == str(told)  # not in the command, which everybody sees


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.usefixtures("installed")
def test_both_listen_on_the_one_address_and_nowhere_else(tmp_path: Path) -> None:
    database, broker = services(tmp_path / "data", "198.19.254.2", "secret")
    assert database.command[:2] == ("as", "postgres")
    assert "listen_addresses=198.19.254.2" in database.command
    assert "unix_socket_directories=" in database.command
    assert broker.command[:2] == ("as", "nobody")
    assert "bind 198.19.254.2\n" in (tmp_path / "broker.conf").read_text()
    assert {one.address for one in (database, broker)} == {"198.19.254.2"}


def test_a_database_is_made_over_the_network(installed: Path) -> None:
    assert create_command("198.19.254.2", "airflow") == [
        str(installed / "15" / "bin" / "createdb"), "--host", "198.19.254.2", "--port", "5432", "--username", "airflow",
        "--maintenance-db", "postgres", "airflow",
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_that_postgres_user_can_not_reach_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backing, "as_user", lambda _, *command: as_user("nobody", *command))
    monkeypatch.setattr(backing.shutil, "chown", lambda *_: None)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(RigError, match=r"can't reach .*closed/data; expected a path that everybody may pass"):
        make_database(closed / "data", "secret")
