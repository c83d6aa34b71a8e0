"""`kerazoo serve`: the application behind a socket, until it is interrupted."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

import uvicorn

from kerazoo.errors import InputError
from kerazoo.registry import spec
from kerazoo.serving.app import application
from kerazoo.serving.served import Classifies, Served, Writes
from kerazoo.tasks import task_of

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAMES = ["127.0.0.1", "localhost", "[::1]", "["]  # of it in a request; older versions of Starlette cut at a colon
_LONGEST_WINDOW = 10  # seconds
_OPEN_AT_ONCE = 1024  # connections
_SECONDS_TO_END = 5


def serve(
    name: str,
    *,
    model: str | os.PathLike[str] | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    window: float = 0.002,
    explain: bool = False,
    ready: Callable[[str], None] = print,
) -> None:
    """Answer requests for the model `name` over HTTP until the process is interrupted.

    Args:
        name: a classifier or a writer of the zoo.
        model: the path of a `.keras` file, in place of the package's weights.
        host: the address to listen on.
        port: 0 takes any that is free.
        window: seconds that a request waits for others to be answered with it, from 0 to 10.
        explain: weigh the words of texts.
        ready: called with the server's address once it listens.

    Raises:
        UnknownModelError: no model has the name.
        InputError: the address or the port cannot be had, `window` is out of range, or there is no such model.
    """
    if not 0 <= window <= _LONGEST_WINDOW:
        raise InputError(f"window={window} seconds: wanted 0 to {_LONGEST_WINDOW}")
    with listen(host, port) as listening:  # before the seconds that loading takes
        served = _loaded(name, model, explain)
        ready(f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}")
        server(served, host, window).run(sockets=[listening])


def _loaded(name: str, model: str | os.PathLike[str] | None, explain: bool) -> Served:
    if task_of(spec(name)).generates:
        return Writes(name, model)
    return Classifies(name, model, explain)


def server(served: Served, host: str = "127.0.0.1", window: float = 0.002) -> uvicorn.Server:
    """Return a server for a loaded model, which `run(sockets=[...])` starts."""
    hosts = _NAMES if host in _LOOPBACK else ["*"]
    config = uvicorn.Config(
        application(served, window=window, hosts=hosts),
        log_level="warning",
        access_log=False,
        limit_concurrency=_OPEN_AT_ONCE,
        timeout_graceful_shutdown=_SECONDS_TO_END,
        server_header=False,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address.

    Raises:
        InputError: it cannot be had.
    """
    if not 0 <= port < 2**16:
        raise InputError(f"port={port}: wanted a number from 0 to 65535; 0 takes any that is free")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=_OPEN_AT_ONCE)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            told = f"port {port} of {host} is in use; choose another, or 0 for any that is free"
        elif error.errno == errno.EACCES:
            told = f"port {port} of {host} is for the superuser; choose one from 1024 on, or 0 for any that is free"
        else:
            why = (error.strerror or str(error)).split(" (while")[0]  # Python adds what stands here anyway
            told = f"the address {host} cannot be listened at: {why}; name one of this machine's"
        raise InputError(told) from None
    # Named as TCP, or asyncio leaves answers to Nagle's algorithm: each then waits 40 ms for the client's receipt.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())
