"""A TCP relay between a client and a server, that can be made to pass nothing on while its connections stay open."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Relay:
    """Listens on loopback; `silent` passes nothing on, `cut` closes what is open.

    Args:
        host, port: The server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._passes = threading.Event()
        self._passes.set()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def silent(self) -> None:
        """Pass nothing on from now on."""
        self._passes.clear()

    def passes(self) -> None:
        """Pass everything on, what waited as well."""
        self._passes.set()

    def cut(self) -> None:
        """Close what is open."""
        opened, self._open = self._open, []
        for one in opened:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()
        self.passes()
        self.cut()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._to)
                self._open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, come: socket.socket, go: socket.socket) -> None:
        with suppress(OSError):
            while part := come.recv(65536):
                self._passes.wait()
                go.sendall(part)
        for one in (come, go):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
