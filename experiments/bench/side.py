"""One side of the benchmark in a process of its own: reads measurements to make on stdin, answers on stdout.

Two Rays cannot be driven from one process; in two they stand beside each other, and are measured in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import IO, Any, Self


class Side:
    """The benchmark's handle of a side's process.

    Args:
        which: "ours", "bare", "breakers", "shared breakers" or "features".
    """

    def __init__(self, which: str) -> None:
        self._which = which
        self._process: subprocess.Popen[bytes] | None = None

    def measure(self, what: str, **arguments: Any) -> Any:
        """One measurement; starts the process at the first.

        Raises:
            RuntimeError: The side failed; its last lines are in the message and on stderr.
        """
        process = self._process or self._start()
        to_side, from_side = process.stdin, process.stdout
        if to_side is None or from_side is None:
            raise RuntimeError("the side's pipes are closed")
        to_side.write(json.dumps({"what": what, "arguments": arguments}).encode() + b"\n")
        to_side.flush()
        for line in iter(from_side.readline, b""):
            if line.startswith(b'{"answer"'):
                return json.loads(line)["answer"]
        raise RuntimeError(
            f"the side {self._which!r} ended with {process.wait()} during {what!r}; see its stderr above"
        )

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: a user's own folder `experiments` must not be found first.
        command = [sys.executable, "-P", "-m", "experiments.bench.side", self._which]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def close(self) -> None:
        """End the side's process and with it its Ray."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def serve(which: str, requests: IO[str], answers: IO[str]) -> None:
    """Make the measurements that are asked for, until the questions end."""
    if which == "ours":
        from experiments.bench.ours import Ours as Chosen  # noqa: PLC0415 - only this side's imports
    elif which == "breakers":
        from experiments.bench.breakers import Breakers as Chosen  # noqa: PLC0415 - only this side's imports
    elif which == "shared breakers":
        from experiments.bench.shared_calls import SharedBreakerCalls as Chosen  # noqa: PLC0415 - the same
    elif which == "features":
        from experiments.bench.checks import Features as Chosen  # noqa: PLC0415 - only this side's imports
    else:
        from experiments.bench.bare import Bare as Chosen  # noqa: PLC0415 - only this side's imports
    side = Chosen()
    try:
        for line in requests:
            request = json.loads(line)
            answer = getattr(side, request["what"])(**request["arguments"])
            answers.write(json.dumps({"answer": answer}) + "\n")
            answers.flush()
    finally:
        side.close()


if __name__ == "__main__":
    serve(sys.argv[1], sys.stdin, sys.stdout)
