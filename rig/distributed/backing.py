"""Postgres and Redis (or Valkey) of Debian's packages, as users without rights."""

from __future__ import annotations

import pwd
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rig.distributed.hosts import BROKER, DATABASE
from rig.environment import RigError

DATABASE_PORT, BROKER_PORT = 5432, 6379
POSTGRES_FOLDERS = "/usr/lib/postgresql"
BROKERS = ("valkey-server", "redis-server")
NOBODY = "nobody"


@dataclass(frozen=True)
class Service:
    """A program that Airflow stands on.

    Attributes:
        name: What it is to Airflow.
        command: What starts it.
        address, port: Where it listens.
    """

    name: str
    command: tuple[str, ...]
    address: str
    port: int


def postgres_folder(root: Path = Path(POSTGRES_FOLDERS)) -> Path:
    """The programs of the newest Postgres.

    Raises:
        RigError: There is none.
    """
    found = [one for one in root.glob("*/bin") if (one / "initdb").exists() and one.parent.name.isdigit()]
    if not found:
        raise RigError(f"no Postgres in {root}; install it: apt-get install postgresql (make test-distributed does)")
    return max(found, key=lambda one: int(one.parent.name))


def broker_program(names: Iterable[str] = BROKERS) -> str:
    """Valkey, else Redis.

    Raises:
        RigError: Neither is there.
    """
    for name in names:
        if found := shutil.which(name):
            return found
    raise RigError(
        f"neither of {', '.join(names)} is on PATH; install one: apt-get install redis-server "
        "(make test-distributed does)"
    )


def as_user(name: str, *command: str) -> tuple[str, ...]:
    """A command as a user without rights.

    Raises:
        RigError: There is no such user.
    """
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise RigError(f"no user {name} on this machine; Debian's package of the program makes it") from error
    # The group by its number: nobody's is called otherwise elsewhere.
    return ("setpriv", f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--clear-groups", *command)


def make_database(folder: Path, password: str) -> None:
    """Make Postgres' data.

    Args:
        folder: Where; made, must not be there.
        password: The only user's: every user of this machine reaches the network of these hosts.

    Raises:
        RigError: Postgres' user can't reach the folder, or it could not be made.
    """
    folder.mkdir(parents=True)
    shutil.chown(folder, "postgres")
    if _run(as_user("postgres", "test", "-w", str(folder))).returncode != 0:
        raise RigError(
            f"user postgres can't reach {folder}; expected a path that everybody may pass: have the checkout elsewhere, or set "
            "GLIDEPATH_DEMO_STATE to a folder that is"
        )
    secret = private(folder.parent / "database.password", password, "postgres")
    made = _run(
        as_user(
            "postgres", str(postgres_folder() / "initdb"), "--pgdata", str(folder), "--username=airflow",
            "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
        )
    )  # fmt: skip
    if made.returncode != 0:
        raise RigError(f"Postgres' data could not be made: {made.stderr.strip()}")
    with (folder / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 198.19.254.0/24 scram-sha-256\n")


def private(file: Path, text: str, owner: str) -> Path:
    """Write a file that its owner and root alone can read; the file."""
    file.touch(mode=0o600)
    file.write_text(text)
    shutil.chown(file, owner)
    return file


def create_command(address: str, name: str) -> list[str]:
    """What makes an empty database in the Postgres that listens there."""
    server = ["--host", address, "--port", str(DATABASE_PORT), "--username", "airflow"]
    return [str(postgres_folder() / "createdb"), *server, "--maintenance-db", "postgres", name]


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=120)


def services(folder: Path, address: str, password: str) -> list[Service]:
    """Postgres and the broker.

    Args:
        folder: Postgres' data; the broker's settings are written beside it.
        address: Where both listen.
        password: The broker's. Whoever could write to it could have workers run anything.
    """
    settings = {
        "listen_addresses": address,
        "port": str(DATABASE_PORT),
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": "300",
    }
    given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    postgres = as_user("postgres", str(postgres_folder() / "postgres"), "-D", str(folder), *given)
    told = f'bind {address}\nport {BROKER_PORT}\nrequirepass {password}\nsave ""\nappendonly no\ndir /\n'
    broker = as_user(NOBODY, broker_program(), str(private(folder.parent / "broker.conf", told, NOBODY)))
    return [
        Service(DATABASE, postgres, address, DATABASE_PORT),
        Service(BROKER, broker, address, BROKER_PORT),
    ]
