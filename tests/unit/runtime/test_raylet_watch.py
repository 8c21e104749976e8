"""A worker process ends with the raylet that started it, and one that has none goes on."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from actors.runtime.raylet_watch import RAYLET, end_with_raylet

DEADLINE_S = 20.0


def test_a_process_ends_after_its_raylet(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as raylet:
        monkeypatch.setenv(RAYLET, str(raylet.pid))
        end_with_raylet(ended.set, after_s=0.0)
        assert not ended.is_set()
        raylet.kill()
    assert ended.wait(DEADLINE_S)


@pytest.mark.parametrize("pid", ["", "none", str(2**22 + 1)])
def test_without_a_raylet_nothing_is_watched(monkeypatch: pytest.MonkeyPatch, pid: str) -> None:
    monkeypatch.setenv(RAYLET, pid)
    end_with_raylet(lambda: pytest.fail("nothing has ended"), after_s=0.0)
    assert "supervisor-raylet" not in [thread.name for thread in threading.enumerate()]
