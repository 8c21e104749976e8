"""Runs tests' scenes in a process of its own, which holds a cluster of three nodes: pytest's own process has its Ray.

A scene is a function `scene(nodes, **arguments)` of an importable module; what it returns comes back as JSON, and what
it raises, as the text of its traceback.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import subprocess
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.ray_cluster.marked import end_all, environment, new_mark

ROOT = Path(__file__).parents[2]
START_S = 90.0
SCENE_S = 90.0
_READY = "ready"


class Stage:
    """The other process."""

    def __init__(self, running: subprocess.Popen[str], answers: IO[str]) -> None:
        self._running = running
        self._answers = answers

    def play(self, scene: Callable[..., Any], **arguments: Any) -> Any:
        """Run a scene there; its result here. Fails with its traceback, or when it takes too long."""
        assert self._running.stdin is not None
        order = {"module": scene.__module__, "function": scene.__name__, "arguments": arguments}
        self._running.stdin.write(json.dumps(order) + "\n")
        self._running.stdin.flush()
        answer = self.hear(SCENE_S)
        assert "failed" not in answer, answer["failed"]
        return answer["result"]

    def hear(self, within_s: float) -> dict[str, Any]:
        heard, _, _ = select.select([self._answers], [], [], within_s)
        assert heard, f"no answer within {within_s:g} s"
        line = self._answers.readline()
        assert line, f"the process ended with {self._running.wait(10)}"
        return json.loads(line)


@contextmanager
def stage(nodes: int, folder: Path) -> Generator[Stage]:
    """A process with a cluster of that many nodes; nothing of it is left at the end."""
    mark = new_mark()
    env = environment(RAY_AUTH_MODE="disabled", RAY_ENABLE_UV_RUN_RUNTIME_ENV="0", **dict([mark.split("=")]))
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "tests.ray_cluster.apart", str(nodes), str(writing)]
    log = folder / "stage.log"
    try:
        with (
            log.open("w", encoding="utf-8") as output,
            os.fdopen(reading, encoding="utf-8") as answers,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                text=True,
                pass_fds=[writing],
            ) as running,
        ):
            os.close(writing)
            made = Stage(running, answers)
            try:
                assert made.hear(START_S) == {"result": _READY}, log.read_text(encoding="utf-8")
                yield made
                running.communicate(timeout=30)  # the end of its input is the end of its play
            finally:
                running.kill()
    finally:
        end_all(mark)


def main(nodes: int, answers: IO[str]) -> None:
    from tests.ray_cluster.nodes import started  # noqa: PLC0415 - Ray is imported where it is used: here

    with started(nodes) as cluster:
        _say(answers, {"result": _READY})
        for line in sys.stdin:
            order = json.loads(line)
            try:
                scene = getattr(importlib.import_module(order["module"]), order["function"])
                _say(answers, {"result": scene(cluster, **order["arguments"])})
            except Exception:  # noqa: BLE001 - it is told to the test
                _say(answers, {"failed": traceback.format_exc()})


def _say(answers: IO[str], what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), os.fdopen(int(sys.argv[2]), "w", encoding="utf-8"))
