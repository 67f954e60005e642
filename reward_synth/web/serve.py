"""Serving the application in this process until Ctrl-C."""

import contextlib
import errno
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from reward_synth.errors import UserError

SECONDS_TO_END = 3
"""That open requests have after Ctrl-C; streams end by themselves."""


class Server(uvicorn.Server):
    """Tells the application's streams when it is to end."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SECONDS_TO_END,
        )
        super().__init__(config)
        self.closing: threading.Event = app.state.context.closing

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.closing.set()
        super().handle_exit(sig, frame)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.  Raises UserError where it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port {port} is taken; give another one with --port, or --port 0 for any"
            ) from error
        advice = "give another --host or --port"
        raise UserError(
            f"cannot listen on {host}, port {port}: {error.strerror}; {advice}"
        ) from error
    return listening


def serve(
    app: FastAPI, listening: socket.socket, on_enter: Callable[[], None] | None = None
) -> None:
    """Serve until Ctrl-C or SIGTERM; ``on_enter`` is called for each Enter in the terminal."""
    if on_enter is not None and sys.stdin.isatty():
        threading.Thread(target=_watch, args=(on_enter,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when it has ended
        Server(app).run(sockets=[listening])


def _watch(on_enter: Callable[[], None]) -> None:
    for _ in sys.stdin:
        on_enter()
