"""The spool that a log's writer shares with the processes of its node."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from actors.checkpoint.spool import LOCK_PATIENCE_S, SMALL_BYTES, Entry, Spool
from actors.runtime.errors import StaleIncarnationError

KEY = "child/shop.cart"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    made.open(KEY, Entry(None, None, None))
    return made


def test_of_whom_nothing_is_known_the_writer_is_asked(tmp_path: Path):
    spool = Spool(tmp_path / "nowhere")
    assert spool.entry(KEY) is None
    assert spool.claim(KEY, (0, 1, 0)) is None
    assert not spool.put(KEY, (0, 1, 1), b"state")
    assert spool.keys() == []
    spool.remove(KEY)


def test_what_is_put_is_what_the_next_life_is_given(spool: Spool):
    assert spool.claim(KEY, (0, 1, 0)) == Entry((0, 1, 0), None, None)
    for number in (1, 2, 3):
        assert spool.put(KEY, (0, 1, number), b"state %d" % number)
    assert Spool(spool.folder).claim(KEY, (0, 2, 0)) == Entry((0, 2, 0), (0, 1, 3), b"state 3")


def test_one_that_comes_late_is_behind(spool: Spool):
    spool.put(KEY, (0, 1, 2), b"newer")
    assert spool.put(KEY, (0, 1, 1), b"older")
    assert spool.entry(KEY) == Entry(None, (0, 1, 2), b"newer")


def test_a_life_that_was_replaced_is_refused(spool: Spool):
    spool.put(KEY, (0, 1, 9), b"state")
    spool.claim(KEY, (0, 3, 0))
    with pytest.raises(StaleIncarnationError, match="3 has taken over"):
        spool.put(KEY, (0, 2, 1), b"lost")
    with pytest.raises(StaleIncarnationError):
        spool.claim(KEY, (0, 2, 0))
    assert spool.entry(KEY) == Entry((0, 3, 0), (0, 1, 9), b"state")
    spool.claim(KEY, (1, 1, 0))


def test_of_a_large_one_the_order_is_known(spool: Spool):
    spool.put(KEY, (0, 1, 1), bytes(SMALL_BYTES))
    assert spool.entry(KEY) == Entry(None, (0, 1, 1), bytes(SMALL_BYTES))
    spool.put(KEY, (0, 1, 2), bytes(SMALL_BYTES + 1))
    entry = spool.entry(KEY)
    assert entry == Entry(None, (0, 1, 2), None)
    assert entry is not None
    assert not entry.is_complete
    spool.put(KEY, (0, 1, 3), b"small again")
    assert spool.entry(KEY) == Entry(None, (0, 1, 3), b"small again")


def test_the_writer_makes_an_entry_as_the_log_has_it_and_one_that_is_there_stays(tmp_path: Path):
    spool = Spool(tmp_path)
    known = Entry((0, 2, 0), (0, 1, 7), b"state")
    spool.open(KEY, known)
    assert spool.entry(KEY) == known
    spool.open(KEY, Entry(None, None, None))
    assert spool.entry(KEY) == known
    spool.open("child/other", Entry(None, None, None))
    assert sorted(spool.keys()) == ["child/other", KEY]


def test_removed_is_gone_for_who_had_opened_it_too(spool: Spool):
    spool.put(KEY, (0, 1, 1), b"state")
    entry = next(spool.folder.glob("*.entry"))
    held = entry.with_name("held")
    os.link(entry, held)  # as an open descriptor holds it
    spool.remove(KEY)
    assert spool.entry(KEY) is None
    held.rename(entry)
    assert spool.entry(KEY) is None
    assert spool.keys() == []


def test_whose_entry_has_changed_is_told_once(spool: Spool):
    assert Spool(spool.folder / "nowhere").take_owed() == []
    assert spool.take_owed() == []
    spool.open("child/other", Entry(None, None, None))
    spool.put(KEY, (0, 1, 1), b"state")
    spool.claim("child/other", (0, 1, 0))
    spool.claim(KEY, (0, 2, 0))
    assert sorted(spool.take_owed()) == ["child/other", KEY]
    spool.claim("child/other", (0, 2, 0))
    spool.remove("child/other")
    assert spool.take_owed() == []


def test_a_key_that_is_too_long_is_named(tmp_path: Path):
    with pytest.raises(OSError, match="5000 bytes"):
        Spool(tmp_path).open("x" * 5000, Entry(None, None, None))


@pytest.mark.parametrize("content", [b"", b"nothing of ours" * 400])
def test_a_file_of_another_kind_is_nothing(spool: Spool, content: bytes):
    next(spool.folder.glob("*.entry")).write_bytes(content)
    assert spool.entry(KEY) is None
    assert spool.keys() == []


def test_bytes_that_have_changed_are_not_given_out(spool: Spool):
    spool.put(KEY, (0, 1, 1), b"state")
    entry = next(spool.folder.glob("*.entry"))
    entry.write_bytes(entry.read_bytes().replace(b"state", b"stale"))
    assert spool.entry(KEY) == Entry(None, (0, 1, 1), None)


def test_only_this_user_can_read_it(spool: Spool):
    assert next(spool.folder.glob("*.entry")).stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700


class MovedClock:
    """A clock that each look moves."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> float:
        self.looks += 1
        return self.looks * LOCK_PATIENCE_S / 3

    def now_ns(self) -> int:
        return 0

    def wall_us(self) -> int:
        return 0


def test_who_is_stopped_with_the_lock_is_not_waited_for_for_ever(spool: Spool):
    impatient = Spool(spool.folder, clock=MovedClock())
    with next(spool.folder.glob("*.entry")).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            impatient.entry(KEY)
    assert impatient.entry(KEY) == Entry(None, None, None)


def test_what_somebody_stopped_with_the_lock_has_changed_is_owed_still(spool: Spool):
    spool.put(KEY, (0, 1, 1), b"state")
    with next(spool.folder.glob("*.entry")).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert Spool(spool.folder, clock=MovedClock()).take_owed() == [KEY]


WRITER = """
import sys
from pathlib import Path
from actors.checkpoint.spool import Spool
spool, life = Spool(Path(sys.argv[1])), int(sys.argv[2])
spool.claim("child/shop.cart", (0, life, 0))
number = 0
while True:
    number += 1
    state = b"%d %d " % (life, number) + bytes([number % 256]) * (number * 7919 % 60_000)
    spool.put("child/shop.cart", (0, life, number), state)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_what_was_acknowledged_survives_every_kill(spool: Spool):
    """A process that writes is SIGKILLed fifteen times, anywhere in it: the newest is whole, and none is lost."""
    rng = Random(20251128)
    for life in range(1, 16):
        command = [sys.executable, "-c", WRITER, str(spool.folder), str(life)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            last = [int(writer.stdout.readline()) for _ in range(rng.randint(1, 300))][-1]
            writer.send_signal(signal.SIGKILL)
            rest = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        last = int(rest[-1]) if rest else last
        entry = spool.entry(KEY)
        assert entry is not None
        assert entry.newest is not None
        assert entry.data is not None, "a torn state"
        assert entry.newest[1] == life
        assert entry.newest[2] >= last
        assert entry.data.startswith(b"%d %d " % entry.newest[1:])
