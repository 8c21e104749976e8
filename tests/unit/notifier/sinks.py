"""Real receivers on this machine: a mail server, and an HTTP server that keeps what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """What a mail server took."""

    port: int = 0
    mails: list[Message] = field(default_factory=list[Message])

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        del server, session
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"

    @property
    def url(self) -> str:
        """Its address, in apprise's words."""
        return f"mailto://sup.test:{self.port}?smtp=127.0.0.1&from=sup@example.org&to=ops@example.org&mode=insecure"


class _OnAnyPort(Controller):
    """On a port that is free; the controller looks for itself on the port that it was given."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Generator[Mailbox]:
    mailbox = Mailbox()
    controller = _OnAnyPort(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


@dataclass(frozen=True)
class Posted:
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Sink(ThreadingHTTPServer):
    """Answers with `status`, once `gate` is open."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.answer_headers: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.posted: list[Posted] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sink = self.server
        assert isinstance(sink, Sink)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sink.posted.append(Posted(self.path, dict(self.headers.items()), body))
        while not sink.gate.wait(0.05):
            self.wfile.write(b"HTTP/1.0 100 Continue\r\n\r\n")  # it lives, and never comes to an end
            self.wfile.flush()
        self.send_response(sink.status)
        for name, value in sink.answer_headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def http_sink() -> Generator[Sink]:
    with Sink() as sink:
        thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield sink
        finally:
            sink.gate.set()
            sink.shutdown()
            thread.join(30)
