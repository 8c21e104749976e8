"""The witness of an experiment's load: a service in the runner's process, that no fault reaches.

What it saw is held against what callers were told. A request for a key that has been applied is an effect whose caller
got no answer, or a task that ran again: that is counted always, and what it comes to is the load's to say:

    keyed   as a payment service with idempotency keys: it applies a key once, and answers with the first one's token
    raw     it applies every request, and remembers whose it was: a task that ran twice has two effects

Only `raw` can tell that something was done twice; it is for what is promised to run once.

One line each way: the run's secret, the key, the task and its attempt; then the token.
"""

from __future__ import annotations

import secrets
import socket
import socketserver
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.runtime.context import current_task
from experiments.checker import Effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.model.experiment import EffectsMode

_LINE_MAX = 4096
_TIMEOUT_S = 5.0
_WORDS = len(("secret", "key", "task", "attempt"))
_NO_TASK = "-"

EFFECTS_OF_KEY_MAX = 16
"""Effects of one key that are kept; further ones are counted as asked for again, and answered with the last token."""


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
        effects: What a request for a key that was applied comes to.
    """

    def __init__(self, host: str, effects: EffectsMode = "keyed") -> None:
        self._lock = threading.Lock()
        self._of_key_max = EFFECTS_OF_KEY_MAX if effects == "raw" else 1
        self._tokens: dict[str, list[str]] = {}
        self._effects: list[Effect] = []
        self._again = 0
        witness = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = _TIMEOUT_S

            def handle(self) -> None:
                words = self.rfile.readline(_LINE_MAX).decode("utf-8", "replace").split()
                if len(words) == _WORDS and secrets.compare_digest(words[0], witness.address.secret):
                    _, key, task, attempt = words
                    token = witness.apply(key, task=task, attempt=int(attempt) if attempt.isdecimal() else 0)
                    self.wfile.write(f"{token}\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server((host, 0), Handler)
        self.address = Address(host, int(self._server.server_address[1]), secrets.token_hex(16))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="chaos-witness", daemon=True
        )
        self._thread.start()

    def apply(self, key: str, *, task: str = "", attempt: int = 0) -> str:
        """Apply a key; its token.

        Args:
            key: Which.
            task: Who asks.
            attempt: On which attempt of it.
        """
        with self._lock:
            tokens = self._tokens.setdefault(key, [])
            self._again += bool(tokens)
            if len(tokens) < self._of_key_max:
                tokens.append(f"{len(self._effects)}-{secrets.token_hex(4)}")
                self._effects.append(Effect(key, tokens[-1], task, attempt))
            return tokens[-1]

    def effects(self) -> Sequence[Effect]:
        """What was applied so far."""
        with self._lock:
            return tuple(self._effects)

    @property
    def asked_again(self) -> int:
        """Requests for keys that had been applied: their first caller got no answer, or they ran again."""
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
        task = current_task()
        asker, attempt = (_NO_TASK, 0) if task is None else (task.task_id, task.attempt)
        line.sendall(f"{witness.secret} {key} {asker} {attempt}\n".encode())
        with line.makefile("rb") as answers:
            token = answers.readline(_LINE_MAX).decode().strip()
    if not token:
        raise ConnectionError(f"the witness at {witness.host}:{witness.port} broke off; its run has ended")
    return token
