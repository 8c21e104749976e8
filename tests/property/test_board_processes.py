"""The board between real processes: readers beside a hammering writer, and writers SIGKILLed one after another."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from actors.runtime.board import BoardReader
from actors.runtime.clock import SYSTEM_CLOCK

HAMMER = Path(__file__).with_name("board_hammer.py")
PATIENCE_S = 30.0
WORDS, READERS, LIVES = 6000, 4, 12
"""The last word of the hammering writer, how many read beside it, how many writers are killed."""

_spec = spec_from_file_location("board_hammer", HAMMER)
assert _spec is not None
assert _spec.loader is not None
board_hammer = module_from_spec(_spec)
_spec.loader.exec_module(board_hammer)


@contextmanager
def process(role: str, path: Path, number: int) -> Generator[subprocess.Popen[str], None, None]:
    command = [sys.executable, str(HAMMER), role, str(path), str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def until(condition: Callable[[], bool]) -> None:
    deadline = SYSTEM_CLOCK.now() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert SYSTEM_CLOCK.now() < deadline, "the condition did not come about"
        pause.wait(0.0005)


def test_readers_beside_a_hammering_writer_see_whole_values_that_only_grow(tmp_path: Path) -> None:
    path = tmp_path / "board"
    with process("hammer", path, WORDS) as writer:
        assert line_of(writer) == "ready"
        with (
            process("follow", path, WORDS) as first,
            process("follow", path, WORDS) as second,
            process("follow", path, WORDS) as third,
            process("follow", path, WORDS) as fourth,
        ):
            readers = [first, second, third, fourth]
            assert [line_of(reader) for reader in readers] == ["ready"] * READERS
            writer.communicate("go\n", timeout=PATIENCE_S)
            reads = [int(reader.communicate(timeout=PATIENCE_S)[0]) for reader in readers]
    assert [child.returncode for child in (writer, *readers)] == [0] * (1 + READERS)
    assert min(reads) >= 4


def test_writers_killed_in_mid_write_leave_whole_values_to_their_successors(tmp_path: Path) -> None:
    """The same file goes on through every life, no value is torn, none goes back, none is lost."""
    path = tmp_path / "board"
    with process("die", path, 40_000) as child:
        until(path.exists)
        reader = BoardReader(path)
        until(lambda: len(reader.names()) == len(board_hammer.NAMES))
        child.send_signal(signal.SIGKILL)
        child.wait(PATIENCE_S)
    slots = [slot for name in board_hammer.NAMES if (slot := reader.slot(name)) is not None]
    seen = [0] * len(slots)
    for life in range(LIVES):
        with process("die", path, 40_000) as child:
            goal = max(seen) + 5 + life
            until(lambda goal=goal: min(slot.word() for slot in slots) > goal)
            child.send_signal(signal.SIGKILL)
            child.wait(PATIENCE_S)
        for number, slot in enumerate(slots):
            word, payload = slot.read()
            board_hammer.check(word, payload)
            assert seen[number] < word
            seen[number] = word
        assert not reader.is_stale()
