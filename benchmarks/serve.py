"""A server's speed on loopback: requests a second, and how long one waits, for some numbers of clients at once.

    python benchmarks/serve.py [--models imdb_lstm] [--clients 1 8 32] [--window 2] [--quick] [--json]

`kerazoo serve` runs in a process of its own; each client has a connection that it keeps, and asks again as soon as it
is answered. Clients and server share the machine's cores.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import common
import numpy as np

import kerazoo
from kerazoo.tasks import task_of
from kerazoo.training.environment import environment

_SERVED = ("mnist_mlp", "mnist_mlp_dropout", "imdb_lstm", "imdb_transformer", "textgen_lstm")
_REVIEW = "A moving story, superbly acted, and far too long. I loved the first half and slept through the second."
_SECONDS, _WARM_UP = 5.0, 1.0
_TO_START = 120  # seconds


def main(argv: list[str]) -> None:
    """Measure, append rows, print."""
    parser = common.parser(__doc__, "serve.jsonl")
    parser.add_argument("--clients", nargs="+", type=common.positive, default=[1, 8, 32])
    parser.add_argument("--window", type=float, default=2.0, help="of the server, in milliseconds")
    options = parser.parse_args(argv)
    names = [name for name in common.choose_models(options.models) if name in _SERVED]
    rows = []
    for name in names:
        with _server(name, options.window) as url:
            for clients in options.clients:
                seconds = 0.5 if options.quick else _SECONDS
                found = asyncio.run(_asked(url, name, clients, seconds))
                row = {"benchmark": "serve", "time": common.now(), "model": name, "clients": clients}
                row |= {"quick": options.quick, "window_ms": options.window, "seconds": seconds}
                row |= {**found, "environment": environment()}
                rows.append(row)
                common.append_row(options.out, row)
    columns = ("model", "", "clients", "requests/s", "p50 ms", "p99 ms")
    lines = [
        (row["model"], "", row["clients"], *(row[key] for key in ("requests_per_s", "p50_ms", "p99_ms")))
        for row in rows
    ]
    title = "kerazoo serve on loopback, an input a request"
    common.finish(rows, options, [common.table(title, columns, lines)])


@contextlib.contextmanager
def _server(name: str, window: float) -> Iterator[str]:
    """Yield the address of a server for the model `name`, once it answers."""
    command = [sys.executable, "-m", "kerazoo", "serve", name, "--port", "0", "--window", str(window)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            if not line.startswith(f"{name}: http"):
                raise kerazoo.UnavailableError(f"the server does not start: {line.strip()}")
            url = line.removeprefix(f"{name}: ").strip()
            urllib.request.urlopen(f"{url}/health", timeout=_TO_START).close()
            yield url
        finally:
            process.terminate()


def _body(name: str) -> bytes:
    """Return what a client sends: a digit, a review, or the wish for 100 characters."""
    task = task_of(kerazoo.spec(name))
    if task.generates:
        return json.dumps({"prompt": "ROMEO:", "length": 100, "seed": 0}).encode()
    if task.explains:
        return json.dumps({"inputs": [_REVIEW]}).encode()
    digits: Any = kerazoo.load_data(name, source="sample").x_test
    return json.dumps({"inputs": [np.round(digits[0], 3).tolist()]}).encode()


async def _asked(url: str, name: str, clients: int, seconds: float) -> dict[str, Any]:
    """Return the speed at which `clients` that ask on and on are answered."""
    host, port = url.removeprefix("http://").split(":")
    path = "/generate" if task_of(kerazoo.spec(name)).generates else "/predict"
    body = _body(name)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request, begin = head.encode() + body, time.perf_counter() + _WARM_UP
    waits: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while (asked := time.perf_counter()) < begin + seconds:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            status, length = answer.split(b" ", 2)[1], answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            content = await reader.readexactly(int(length))
            if status != b"200":
                raise kerazoo.KerazooError(f"the server answers {status.decode()}: {content.decode()}")
            if asked >= begin:
                waits.append(time.perf_counter() - asked)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    p50, p99 = (1e3 * float(one) for one in np.percentile(waits, [50, 99]))
    return {"requests": len(waits), "requests_per_s": len(waits) / seconds, "p50_ms": p50, "p99_ms": p99}


if __name__ == "__main__":
    sys.exit(common.run(main))
