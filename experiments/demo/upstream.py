"""The demo's HTTP upstream: an idempotent payment API that is slow, unavailable and rude by a seeded schedule.

It runs as a process of its own, outside everything that the demo kills, and is the demo's witness:

    python -m experiments.demo.upstream --seed 7 --port 0

    POST /charge   header `Idempotency-Key`, body {"amount": <integer, cents>}; see `schedule.py` for what may happen
    GET  /report   the books, see `ledger.Report`
    GET  /health   {"status": "up"}

Its first line on stdout is `{"host": ..., "port": ..., "pid": ...}`. It ends on SIGTERM, on SIGINT, and when its stdin
reaches EOF: whoever started it holds the other end, so it never outlives them, however they die.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, cast

from experiments.demo.ledger import AmountConflictError, Ledger

BODY_BYTES_MAX = 65_536
HEADERS_MAX = 100
BACKLOG = 1024

Answer = tuple[HTTPStatus, Mapping[str, Any]]


class BadRequestError(Exception):
    """The request is not one that this server understands; its text goes back to the client."""


@dataclass(frozen=True, slots=True)
class Request:
    """One parsed HTTP/1.1 request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


class Upstream:
    """The server without its socket: one `serve_connection` per client.

    Args:
        seed: The seed of the schedule.
    """

    def __init__(self, seed: int) -> None:
        self._ledger = Ledger(seed)

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a client's requests one after the other until it leaves, is dropped, or sends nonsense."""
        # A handler that ends as cancelled makes Python 3.11's streams print a traceback when the server stops.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer_all(reader, writer)
        writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await read_request(reader)
            except BadRequestError as error:
                writer.write(render((HTTPStatus.BAD_REQUEST, {"reason": str(error)}), keep_alive=False))
                await writer.drain()
                return
            if request is None:
                return
            answer = await self._answer(request)
            if answer is None:
                return
            writer.write(render(answer, keep_alive=request.keeps_alive))
            await writer.drain()
            if not request.keeps_alive:
                return

    async def _answer(self, request: Request) -> Answer | None:
        match request.method, request.path:
            case "POST", "/charge":
                return await self._charge(request)
            case "GET", "/report":
                return HTTPStatus.OK, self._ledger.report()
            case "GET", "/health":
                return HTTPStatus.OK, {"status": "up"}
            case _, "/charge" | "/report" | "/health":
                return HTTPStatus.METHOD_NOT_ALLOWED, {"reason": f"{request.path} does not take {request.method}"}
            case _:
                return HTTPStatus.NOT_FOUND, {"reason": "only /charge, /report and /health are here"}

    async def _charge(self, request: Request) -> Answer | None:
        """The answer to a charge, or None when the connection is to be closed without one."""
        try:
            key, amount = parse_charge(request)
        except BadRequestError as error:
            return HTTPStatus.BAD_REQUEST, {"reason": str(error)}
        decided = self._ledger.admit(key)
        if decided.kind == "rejected":
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"reason": "card_declined", "key": key}
        if decided.kind == "unavailable":
            return HTTPStatus.SERVICE_UNAVAILABLE, {"reason": "overloaded", "key": key}
        if decided.delay_s:
            await asyncio.sleep(decided.delay_s)
        if not decided.applies:
            return None
        try:
            receipt = self._ledger.apply(key, amount)
        except AmountConflictError as error:
            return HTTPStatus.CONFLICT, {"reason": str(error), "key": key}
        return None if decided.kind == "drop" else (HTTPStatus.OK, asdict(receipt))


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The client's next request, or None when it has closed the connection.

    Raises:
        BadRequestError: It is not HTTP/1.1 with a plain body.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise BadRequestError("the request's head is too long") from None
    lines = head.decode("latin-1").split("\r\n")[:-2]
    words = lines[0].split(" ")
    if len(words) != len(("method", "path", "version")) or not words[2].startswith("HTTP/1."):
        raise BadRequestError("the first line is not that of an HTTP/1.1 request")
    if len(lines) > HEADERS_MAX:
        raise BadRequestError(f"more than {HEADERS_MAX} headers")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
        raise BadRequestError("the body needs a Content-Length and no Transfer-Encoding")
    if int(length) > BODY_BYTES_MAX:
        raise BadRequestError(f"the body is longer than {BODY_BYTES_MAX} bytes")
    return Request(words[0], words[1], headers, await reader.readexactly(int(length)))


def parse_charge(request: Request) -> tuple[str, int]:
    """The idempotency key and the amount of a charge.

    Raises:
        BadRequestError: One of them is missing or of the wrong type.
    """
    key = request.headers.get("idempotency-key", "")
    if not key:
        raise BadRequestError("the header Idempotency-Key is missing")
    try:
        body: object = json.loads(request.body)
    except ValueError as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    amount = cast("dict[str, object]", body).get("amount") if isinstance(body, dict) else None
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise BadRequestError('the body must be {"amount": <integer, cents>}')
    return key, amount


def render(answer: Answer, *, keep_alive: bool) -> bytes:
    """The bytes of an HTTP/1.1 response with a JSON body."""
    status, content = answer
    body = json.dumps(content).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1") + body


async def serve(
    *, seed: int, host: str, port: int, stopped: asyncio.Event, announce: Callable[[str, int], None]
) -> None:
    """Listen until `stopped` is set; `announce` gets the host and the port that it listens on.

    Raises:
        OSError: The address cannot be listened on.
    """
    server = await asyncio.start_server(Upstream(seed).serve_connection, host, port, backlog=BACKLOG)
    announce(*server.sockets[0].getsockname()[:2])
    await stopped.wait()
    server.close()


def main(arguments: list[str] | None = None) -> None:
    """Run the upstream until it is told to stop or its parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m experiments.demo.upstream", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="seed of the schedule")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_run(options.seed, options.host, options.port))
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error}; --port 0 takes a free port")


async def _run(seed: int, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    threading.Thread(target=_watch_stdin, args=(loop, stopped), name="parent-watch", daemon=True).start()
    await serve(seed=seed, host=host, port=port, stopped=stopped, announce=_announce)


def _announce(host: str, port: int) -> None:
    sys.stdout.write(json.dumps({"host": host, "port": port, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Wait for the parent's end of the pipe to close; whatever it writes is ignored.

    A raw read: `sys.stdin` would hold a lock that the interpreter needs when it ends.
    """
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(stopped.set)


if __name__ == "__main__":
    main()
