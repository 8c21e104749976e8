"""The shell without Ray: a leader's terms are taken, and an orphan stops in order before it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from actors.runtime.errors import StaleIncarnationError
from actors.runtime.shell import ActorShell, NamedRoots

if TYPE_CHECKING:
    from actors.runtime.orphan import Root
    from actors.runtime.ports import RootLookup

DEADLINE_S = 20.0


class Sheltered(ActorShell):
    """A shell that tells of its end instead of ending the process."""

    def __init__(self, root: Root) -> None:
        self.found: Root = root
        self.asked = threading.Event()
        self.calls: list[str] = []
        self.over = threading.Event()
        super().__init__("s/worker/p-0#1", 2)

    def roots(self) -> RootLookup:
        return self

    def root(self) -> Root:
        self.asked.set()
        return self.found

    def on_stop(self) -> None:
        self.calls.append("stop")

    def exit_process(self) -> None:
        self.calls.append("exit")
        self.over.set()


def test_an_orphan_stops_in_order_and_ends():
    shell: Any = Sheltered("gone")
    shell.heartbeat(2, orphan_timeout_s=0.2)
    assert shell.over.wait(DEADLINE_S)
    assert shell.calls == ["stop", "exit"]


@pytest.mark.parametrize("root", ["lives", "unknown"])
def test_it_goes_on_while_somebody_holds_the_name_or_ray_does_not_answer(root: Root):
    shell: Any = Sheltered(root)
    shell.heartbeat(2, orphan_timeout_s=0.05)
    assert shell.asked.wait(DEADLINE_S)
    assert not shell.over.wait(0.3)
    shell.found = "gone"
    assert shell.over.wait(DEADLINE_S)


def test_a_program_that_holds_a_shell_in_its_own_process_is_not_ended_with_it():
    """It would end with status 0 in the middle of its work, and be taken for done."""
    program = "from actors.runtime.shell import ActorShell; ActorShell('s/worker/p-0#1', 2).exit_process(); print('on')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "on\n", "in this very process its failure would end the run, and look like a pass"


def test_of_watches_that_ended_nothing_is_left():
    shell: Any = Sheltered("lives")
    ended: list[str] = []

    def watch() -> None:
        try:
            shell.watch("w")
            ended.append("released")
        except OSError:
            ended.append("it ends")

    threads = [threading.Thread(target=watch, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not ended:
        threads[0].join(0.01)
    shell.fail_watches(OSError("it ends"))
    for thread in threads:
        thread.join(DEADLINE_S)
    assert ended == ["released", "it ends"]
    assert shell._watchers == {}


def test_an_earlier_leader_sets_no_terms():
    shell: Any = Sheltered("gone")
    with pytest.raises(StaleIncarnationError):
        shell.heartbeat(1, orphan_timeout_s=0.01)
    assert not shell.over.wait(0.2)
    assert shell.heartbeat(3)["pid"] > 0


def test_without_ray_nothing_is_known_of_the_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    assert NamedRoots("s").root() == "unknown"
