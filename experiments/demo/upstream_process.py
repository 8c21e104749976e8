"""Starts the upstream as a process of its own, asks it for its books, and ends it."""

from __future__ import annotations

import http.client
import json
import selectors
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any, Self, cast

if TYPE_CHECKING:
    from types import TracebackType

    from experiments.demo.ledger import Report

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
ASK_TIMEOUT_S = 10.0


class UpstreamProcess:
    """A running upstream; leaving the `with` block ends it, and so does the end of this process.

    Args:
        seed: The seed of its schedule.
    Raises:
        RuntimeError: It did not say within `START_TIMEOUT_S` where it listens.
    """

    def __init__(self, seed: int) -> None:
        # -P keeps the working directory off the path: a user's own `experiments/` must not shadow ours.
        # A session of its own: Ctrl-C in a terminal goes to the whole process group, and the witness must outlive the
        # demo's own orderly end.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "experiments.demo.upstream", "--seed", str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)
        self._stdout = cast("IO[bytes]", self._process.stdout)
        line = _first_line(self._stdout)
        if line is None:
            self.stop()
            message = (
                f"the upstream did not start within {START_TIMEOUT_S:g} s; run `{' '.join(self._command)}` to see why"
            )
            raise RuntimeError(message)
        where = json.loads(line)
        self._address = f"{where['host']}:{where['port']}"

    @property
    def url(self) -> str:
        """Where it listens, as `http://host:port`."""
        return f"http://{self._address}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def report(self) -> Report:
        """Its books as they stand.

        Raises:
            OSError: It does not answer.
        """
        return cast("Report", self._get("/report"))

    def stop(self) -> None:
        """End it and wait for its end; a second call does nothing."""
        self._stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _command(self) -> list[str]:
        return [str(part) for part in cast("list[str]", self._process.args)]

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=ASK_TIMEOUT_S)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def _first_line(pipe: IO[bytes]) -> bytes | None:
    """The first line that arrives within `START_TIMEOUT_S`; the upstream writes it whole."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return (pipe.readline() or None) if selector.select(START_TIMEOUT_S) else None
