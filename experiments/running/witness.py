"""The witness of an experiment's load: a service with idempotency keys, in the runner's process, that no fault reaches.

It applies what it is asked for once for each key, and answers every further request for a key with the first one's
token, as a payment service does. What it saw is held against what callers were told. A request for a key that has been
applied is an effect whose caller got no answer: that is counted, too.

One line each way: the run's secret, the key; then the token.
"""

from __future__ import annotations

import secrets
import socket
import socketserver
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.checker import Effect

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE_MAX = 4096
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a witness is, and the word by which it knows its callers."""

    host: str
    port: int
    secret: str


class Witness:
    """A running witness.

    Args:
        host: The address that the cluster's nodes reach this one by.
    """

    def __init__(self, host: str) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        self._effects: list[Effect] = []
        self._again = 0
        witness = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = _TIMEOUT_S

            def handle(self) -> None:
                words = self.rfile.readline(_LINE_MAX).decode("utf-8", "replace").split()
                if len(words) == len(("secret", "key")) and secrets.compare_digest(words[0], witness.address.secret):
                    self.wfile.write(f"{witness.apply(words[1])}\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server((host, 0), Handler)
        self.address = Address(host, int(self._server.server_address[1]), secrets.token_hex(16))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="chaos-witness", daemon=True
        )
        self._thread.start()

    def apply(self, key: str) -> str:
        """Apply a key, once; the token that it was given then."""
        with self._lock:
            token = self._tokens.get(key)
            if token is not None:
                self._again += 1
                return token
            token = self._tokens[key] = f"{len(self._effects)}-{secrets.token_hex(4)}"
            self._effects.append(Effect(key, token))
            return token

    def effects(self) -> Sequence[Effect]:
        """What was applied so far."""
        with self._lock:
            return tuple(self._effects)

    @property
    def asked_again(self) -> int:
        """Requests for keys that had been applied: their first caller got no answer."""
        return self._again

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def tell(witness: Address, key: str) -> str:
    """Have a key applied; its token.

    Raises:
        OSError: The witness does not answer; it may or may not be applied.
    """
    with socket.create_connection((witness.host, witness.port), timeout=_TIMEOUT_S) as line:
        line.sendall(f"{witness.secret} {key}\n".encode())
        with line.makefile("rb") as answers:
            token = answers.readline(_LINE_MAX).decode().strip()
    if not token:
        raise ConnectionError(f"the witness at {witness.host}:{witness.port} broke off; its run has ended")
    return token
