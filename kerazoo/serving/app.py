"""The routes: `/health`, `/predict` or `/generate`, and what describes them; limits, and errors in one line."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kerazoo.errors import InputError, KerazooError
from kerazoo.files import to_json
from kerazoo.printable import printable
from kerazoo.serving.batching import Batcher, Busy
from kerazoo.serving.description import described, page
from kerazoo.serving.served import Served

LARGEST_BODY = 2**20  # bytes
_SECONDS_TO_SEND = 20  # that a client has to send its body
_BATCH = 64
_WAITING = 1024
_READ_AT_ONCE = 4  # requests: a small file may be a picture of half a gigabyte


def application(served: Served, *, window: float, hosts: list[str]) -> Starlette:
    """Return the application that answers for the model `served`.

    Args:
        served: a loaded model.
        window: seconds that a request waits for others to be answered with it.
        hosts: by which names the server may be called; "*" for any.
    """
    batcher: Batcher[Any, Any] = Batcher(served.answer, most=_BATCH, window=window, waiting=_WAITING)
    description, reading = described(served), asyncio.Semaphore(_READ_AT_ONCE)

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def health(_: Request) -> Response:
        return _json({"status": "ok", **served.facts})

    async def ask(request: Request) -> Response:
        document = await _document(request)
        try:
            async with reading:
                things = await asyncio.to_thread(served.read, document)
            answers = await batcher.ask(things)
        except asyncio.CancelledError:  # the server was told to stop, and waits no longer
            raise HTTPException(503, "the server is stopping; ask again later") from None
        return _json({"model": served.name, served.answers_are: list(answers)})

    async def openapi(_: Request) -> Response:
        return _json(description)

    async def index(_: Request) -> Response:
        return HTMLResponse(page(description))

    return Starlette(
        routes=[
            Route("/", index),
            Route("/docs", index),
            Route("/health", health),
            Route("/openapi.json", openapi),
            Route(served.path, ask, methods=["POST"]),
        ],
        lifespan=running,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
        exception_handlers=_HANDLERS,
    )


async def _document(request: Request) -> Any:
    """Return the JSON that a request brings.

    Raises:
        HTTPException: it is no JSON, too large, or takes too long to come.
    """
    # A page of another site cannot send this type without asking first, and is not answered.
    given = request.headers.get("content-type", "").split(";")[0].strip()
    if given.lower() != "application/json":
        told = f"a body of the type {printable(given)}" if given else "a body without a Content-Type"
        raise HTTPException(415, f"{told}; wanted application/json")
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS_TO_SEND):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413, f"the body has more than {LARGEST_BODY // 2**20} MiB")
    except TimeoutError:
        raise HTTPException(408, f"the body did not come in {_SECONDS_TO_SEND} seconds") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body ended too early") from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(to_json(content, indent=None), status, headers, media_type="application/json")


def _error(status: int, told: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json({"error": " ".join(told.split())}, status, headers)


async def _http(_: Request, error: Any) -> Response:
    return _error(error.status_code, error.detail, error.headers)


async def _elsewhere(request: Request, error: Any) -> Response:
    asked = printable(f"{request.method} {request.url.path}")
    told = [f"{'POST' if 'POST' in one.methods else 'GET'} {one.path}" for one in request.app.routes]
    return _error(error.status_code, f"there is no {asked}; wanted one of {', '.join(told)}", error.headers)


async def _input(_: Request, error: Any) -> Response:
    return _error(422, str(error))


async def _busy(_: Request, error: Any) -> Response:
    return _error(503, "too many requests wait for the model; ask again later")


async def _failed(_: Request, error: Any) -> Response:
    return _error(500, str(error) if isinstance(error, KerazooError) else "the model failed; the server's log has more")


_HANDLERS: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
    HTTPException: _http,
    404: _elsewhere,
    405: _elsewhere,
    InputError: _input,
    Busy: _busy,
    Exception: _failed,
}
